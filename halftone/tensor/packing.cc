#include "halftone/tensor/packing.h"

#include <limits>

#include "halftone/base/error.h"

namespace halftone {
namespace {

void require_integers(DType dtype) {
  const int bits = bits_of(dtype);
  const bool fits_int32 = dtype != DType::UInt32 && bits <= 32;
  if (!(fits_int32 && (is_integer(dtype) || dtype == DType::Bool || dtype == DType::Bit))) {
    fail(ErrorCode::Unsupported, "packing", "an integer type that fits 32 signed bits is required, found {}",
         name_of(dtype));
  }
}

template <typename T>
std::vector<int32_t> widen(std::span<const T> elements) {
  return {elements.begin(), elements.end()};
}

template <typename T>
void narrow(std::span<const int32_t> values, std::span<T> elements) {
  for (size_t i = 0; i < values.size(); ++i) elements[i] = static_cast<T>(values[i]);
}

}  // namespace

IntegerRange range_of(DType dtype) {
  if (dtype == DType::Bool) return {0, 1};
  if (dtype == DType::Bit) return {-1, 1};
  const int bits = bits_of(dtype);
  if (!is_integer(dtype) || bits > 32) {
    fail(ErrorCode::Unsupported, "range", "an integer type of at most 32 bits is required, found {}", name_of(dtype));
  }
  if (is_signed_integer(dtype)) return {-(int64_t{1} << (bits - 1)), (int64_t{1} << (bits - 1)) - 1};
  return {0, (int64_t{1} << bits) - 1};
}

std::vector<int32_t> unpack_integers(const Tensor& tensor) {
  const DType dtype = tensor.dtype();
  require_integers(dtype);
  switch (dtype) {
    case DType::Int32:
      return widen(tensor.data<int32_t>());
    case DType::Int16:
      return widen(tensor.data<int16_t>());
    case DType::UInt16:
      return widen(tensor.data<uint16_t>());
    case DType::Int8:
      return widen(tensor.data<int8_t>());
    default:
      break;
  }
  const std::span<const uint8_t> bytes = tensor.data<uint8_t>();
  const int bits = bits_of(dtype);
  const int mask = (1 << bits) - 1;
  const int sign_bit = is_signed_integer(dtype) ? 1 << (bits - 1) : 0;
  std::vector<int32_t> values(static_cast<size_t>(tensor.size()));
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t at = i * static_cast<size_t>(bits);
    const int code = (bytes[at / 8] >> (at % 8)) & mask;
    values[i] = (code ^ sign_bit) - sign_bit;
    if (dtype == DType::Bit) values[i] = 2 * code - 1;
    if (dtype == DType::Bool) values[i] = code != 0;
  }
  return values;
}

Tensor pack_integers(DType dtype, Shape shape, std::span<const int32_t> values) {
  require_integers(dtype);
  Tensor tensor(dtype, std::move(shape));
  if (static_cast<int64_t>(values.size()) != tensor.size()) {
    fail(ErrorCode::InvalidArgument, "packing", "shape {} requires {} values, found {}", to_string(tensor.shape()),
         tensor.size(), values.size());
  }
  const IntegerRange range = range_of(dtype);
  for (int32_t value : values) {
    if (value < range.low || value > range.high || (dtype == DType::Bit && value == 0)) {
      fail(ErrorCode::NumericRange, "packing", "{} requires values in [{}, {}]{}, found {}", name_of(dtype), range.low,
           range.high, dtype == DType::Bit ? " without 0" : "", value);
    }
  }
  switch (dtype) {
    case DType::Int32:
      narrow(values, tensor.mutable_data<int32_t>());
      return tensor;
    case DType::Int16:
      narrow(values, tensor.mutable_data<int16_t>());
      return tensor;
    case DType::UInt16:
      narrow(values, tensor.mutable_data<uint16_t>());
      return tensor;
    case DType::Int8:
      narrow(values, tensor.mutable_data<int8_t>());
      return tensor;
    default:
      break;
  }
  const std::span<uint8_t> bytes = tensor.mutable_data<uint8_t>();
  const int bits = bits_of(dtype);
  const int mask = (1 << bits) - 1;
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t at = i * static_cast<size_t>(bits);
    const int code = dtype == DType::Bit ? values[i] > 0 : values[i] & mask;
    bytes[at / 8] = static_cast<uint8_t>(bytes[at / 8] | (code << (at % 8)));
  }
  return tensor;
}

}  // namespace halftone
