#include "halftone/onnx/internal/typed_data.h"

#include <cstring>
#include <limits>
#include <type_traits>

namespace halftone::onnx {
namespace {

template <typename T>
std::string copy_bytes(const google::protobuf::RepeatedField<T>& field) {
  return {reinterpret_cast<const char*>(field.data()), static_cast<size_t>(field.size()) * sizeof(T)};
}

// Each entry as an integer of sizeof(Narrow) bytes. Both readings of the bits are accepted: writers differ on whether
// an int8 of -1 or the float16 0xBC00 is sign-extended.
template <typename Narrow, typename Wide>
std::string narrow_bytes(const google::protobuf::RepeatedField<Wide>& field, std::string_view where) {
  std::string bytes(static_cast<size_t>(field.size()) * sizeof(Narrow), '\0');
  char* to = bytes.data();
  for (const Wide entry : field) {
    bool fits = entry <= static_cast<Wide>(std::numeric_limits<std::make_unsigned_t<Narrow>>::max());
    if constexpr (std::is_signed_v<Wide>)
      fits = fits && entry >= std::numeric_limits<std::make_signed_t<Narrow>>::min();
    if (!fits) {
      fail(ErrorCode::InvalidModel, where, "elements must fit in {} bits, found {}", 8 * sizeof(Narrow), entry);
    }
    const auto narrow = static_cast<Narrow>(entry);
    std::memcpy(to, &narrow, sizeof(Narrow));
    to += sizeof(Narrow);
  }
  return bytes;
}

}  // namespace

std::string_view typed_field(DType dtype) {
  switch (dtype) {
    case DType::Float:
    case DType::Complex64:
      return "float_data";
    case DType::Double:
    case DType::Complex128:
      return "double_data";
    case DType::Int64:
      return "int64_data";
    case DType::UInt32:
    case DType::UInt64:
      return "uint64_data";
    case DType::String:
      return "string_data";
    default:
      return is_known(dtype) ? "int32_data" : "";
  }
}

FilledFields filled_fields(const pb::TensorProto& proto) {
  FilledFields filled;
  const auto look = [&](int size, std::string_view name) {
    if (size == 0) return;
    ++filled.count;
    filled.name = name;
  };
  look(proto.float_data_size(), "float_data");
  look(proto.int32_data_size(), "int32_data");
  look(proto.string_data_size(), "string_data");
  look(proto.int64_data_size(), "int64_data");
  look(proto.double_data_size(), "double_data");
  look(proto.uint64_data_size(), "uint64_data");
  return filled;
}

std::string typed_bytes(const pb::TensorProto& proto, DType dtype, std::string_view where) {
  switch (dtype) {
    case DType::Float:
    case DType::Complex64:
      return copy_bytes(proto.float_data());
    case DType::Double:
    case DType::Complex128:
      return copy_bytes(proto.double_data());
    case DType::Int64:
      return copy_bytes(proto.int64_data());
    case DType::UInt64:
      return copy_bytes(proto.uint64_data());
    case DType::UInt32:
      return narrow_bytes<uint32_t>(proto.uint64_data(), where);
    case DType::Int32:
      return copy_bytes(proto.int32_data());
    default:
      return bits_of(dtype) == 16 ? narrow_bytes<uint16_t>(proto.int32_data(), where)
                                  : narrow_bytes<uint8_t>(proto.int32_data(), where);
  }
}

void clear_typed_fields(pb::TensorProto& proto) {
  proto.clear_float_data();
  proto.clear_int32_data();
  proto.clear_string_data();
  proto.clear_int64_data();
  proto.clear_double_data();
  proto.clear_uint64_data();
}

}  // namespace halftone::onnx
