// The room `tensor`: element types, shapes, tensors, packing of sub-byte types. It sees only base.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace halftone {

// Element types. The numbers are ONNX's TensorProto.DataType, so that a type which this build's ONNX headers don't know
// yet is still read, carried and written.
enum class DType : int32_t {
  Undefined = 0,
  Float = 1,
  UInt8 = 2,
  Int8 = 3,
  UInt16 = 4,
  Int16 = 5,
  Int32 = 6,
  Int64 = 7,
  String = 8,
  Bool = 9,
  Float16 = 10,
  Double = 11,
  UInt32 = 12,
  UInt64 = 13,
  Complex64 = 14,
  Complex128 = 15,
  BFloat16 = 16,
  Float8E4M3FN = 17,
  Float8E4M3FNUZ = 18,
  Float8E5M2 = 19,
  Float8E5M2FNUZ = 20,
  UInt4 = 21,
  Int4 = 22,
  Float4E2M1 = 23,
  Float8E8M0 = 24,
  UInt2 = 25,
  Int2 = 26,
  Bit = 1000,  // Halftone's own: 1 = +1, 0 = -1
};

// ONNX's lower-case name ("float", "int8", "uint4" ...); "unknown" for numbers that are none of the above.
std::string_view name_of(DType dtype);

// The type with that name, or Undefined.
DType dtype_from_name(std::string_view name);

// Bits of one element; 0 for String, Undefined and unknown numbers.
int bits_of(DType dtype);

// Bytes that `count` packed elements take (sub-byte types share bytes). Errors: Error{NumericRange} on overflow.
size_t bytes_for(DType dtype, int64_t count);

bool is_known(DType dtype);
bool is_floating(DType dtype);  // Float, Double, Float16, BFloat16 and the 8- and 4-bit floats
bool is_integer(DType dtype);   // signed and unsigned integers of any width; not Bool
bool is_signed_integer(DType dtype);
inline bool is_sub_byte(DType dtype) { return bits_of(dtype) > 0 && bits_of(dtype) < 8; }

// The DType of a C++ element type: dtype_of<float>() == DType::Float.
template <typename T>
constexpr DType dtype_of();

template <>
constexpr DType dtype_of<float>() {
  return DType::Float;
}
template <>
constexpr DType dtype_of<double>() {
  return DType::Double;
}
template <>
constexpr DType dtype_of<uint8_t>() {
  return DType::UInt8;
}
template <>
constexpr DType dtype_of<int8_t>() {
  return DType::Int8;
}
template <>
constexpr DType dtype_of<uint16_t>() {
  return DType::UInt16;
}
template <>
constexpr DType dtype_of<int16_t>() {
  return DType::Int16;
}
template <>
constexpr DType dtype_of<uint32_t>() {
  return DType::UInt32;
}
template <>
constexpr DType dtype_of<int32_t>() {
  return DType::Int32;
}
template <>
constexpr DType dtype_of<uint64_t>() {
  return DType::UInt64;
}
template <>
constexpr DType dtype_of<int64_t>() {
  return DType::Int64;
}
template <>
constexpr DType dtype_of<bool>() {
  return DType::Bool;
}

}  // namespace halftone
