#include "halftone/onnx/internal/tensor_proto.h"

#include <algorithm>
#include <memory>
#include <string>

#include "halftone/onnx/internal/typed_data.h"

namespace halftone::onnx {
namespace {

// No network has tensors of more axes; the bound keeps shapes printable in messages.
constexpr int kMaxRank = 256;

// More than any address space; below it, no computation of a size in bits can overflow.
constexpr int64_t kMaxElements = int64_t{1} << 48;

// What carried parts of a model may grow by when their external content moves into the message.
constexpr size_t kMaxEmbeddedBytes = size_t{1} << 30;

Shape read_shape(const pb::TensorProto& proto, DType dtype, std::string_view where) {
  if (proto.dims_size() > kMaxRank) {
    fail(ErrorCode::InvalidModel, where, "a tensor must have at most {} dimensions, found {}", kMaxRank,
         proto.dims_size());
  }
  Shape shape(proto.dims().begin(), proto.dims().end());
  int64_t count = 1;
  for (int64_t dim : shape) {
    if (dim < 0 || __builtin_mul_overflow(count, dim, &count) || count > kMaxElements) {
      fail(ErrorCode::InvalidModel, where,
           "dimensions must be >= 0 and their product at most 2^48 elements, found {} of shape {}", name_of(dtype),
           to_string(shape));
    }
  }
  return shape;
}

Tensor take_strings(pb::TensorProto& proto, Shape shape, std::string_view where) {
  const int64_t count = element_count(shape);
  if (proto.string_data_size() != count || !proto.raw_data().empty()) {
    fail(ErrorCode::InvalidModel, where, "shape {} requires {} strings in string_data, found {}", to_string(shape),
         count, proto.string_data_size());
  }
  std::vector<std::string> strings(proto.string_data().begin(), proto.string_data().end());
  proto.clear_string_data();
  proto.clear_raw_data();
  return Tensor::from_strings(std::move(shape), std::move(strings));
}

Tensor view_of(std::shared_ptr<const std::string> bytes, DType dtype, Shape shape, std::string_view where) {
  const size_t required = bytes_for(dtype, element_count(shape));
  if (bits_of(dtype) > 0 && bytes->size() != required) {
    fail(ErrorCode::InvalidModel, where, "{} of shape {} requires {} bytes, found {}", name_of(dtype), to_string(shape),
         required, bytes->size());
  }
  // Reading a bool that is neither 0 nor 1 is undefined in C++.
  if (dtype == DType::Bool && std::any_of(bytes->begin(), bytes->end(), [](char c) { return c != 0 && c != 1; })) {
    fail(ErrorCode::InvalidModel, where, "elements of a bool tensor must be 0 or 1");
  }
  const auto* data = reinterpret_cast<const std::byte*>(bytes->data());
  const size_t size = bytes->size();
  return Tensor::view(dtype, std::move(shape), {data, size}, std::move(bytes));
}

Tensor take_content(pb::TensorProto& proto, ExternalData& external, DType dtype, Shape shape, std::string_view where) {
  if (proto.data_location() == pb::TensorProto::EXTERNAL) {
    if (filled_fields(proto).count > 0 || !proto.raw_data().empty()) {
      fail(ErrorCode::InvalidModel, where, "content must stand in one place, found it in the model and in a file");
    }
    Tensor tensor = external.read(proto, dtype, std::move(shape), where);
    proto.clear_data_location();
    proto.clear_external_data();
    proto.clear_raw_data();
    return tensor;
  }
  if (dtype == DType::String) return take_strings(proto, std::move(shape), where);

  const FilledFields filled = filled_fields(proto);
  if (proto.raw_data().empty() && filled.count > 0 && is_known(dtype)) {
    if (filled.count > 1 || filled.name != typed_field(dtype)) {
      fail(ErrorCode::InvalidModel, where, "{} elements must stand in raw_data or {}, found {}", name_of(dtype),
           typed_field(dtype), filled.name);
    }
    auto bytes = std::make_shared<const std::string>(typed_bytes(proto, dtype, where));
    clear_typed_fields(proto);
    proto.clear_raw_data();
    return view_of(std::move(bytes), dtype, std::move(shape), where);
  }
  if (!proto.raw_data().empty() && filled.count > 0) {
    fail(ErrorCode::InvalidModel, where, "content must stand in one field, found it in raw_data and {}", filled.name);
  }
  if (proto.raw_data().empty()) {
    proto.clear_raw_data();
    return view_of(std::make_shared<const std::string>(), dtype, std::move(shape), where);
  }
  return view_of(std::shared_ptr<const std::string>(proto.release_raw_data()), dtype, std::move(shape), where);
}

}  // namespace

Tensor take_tensor(pb::TensorProto& proto, ExternalData& external, std::string_view where) {
  const auto dtype = static_cast<DType>(proto.data_type());
  if (dtype == DType::Undefined) fail(ErrorCode::InvalidModel, where, "a tensor must have an element type, found none");
  if (proto.has_segment()) {
    fail(ErrorCode::Unsupported, where, "a tensor must be whole, found a segment of one; merge its segments");
  }
  Tensor tensor = take_content(proto, external, dtype, read_shape(proto, dtype, where), where);
  proto.clear_dims();
  proto.clear_data_type();
  return tensor;
}

void put_type(const Tensor& tensor, pb::TensorProto& proto) {
  proto.mutable_dims()->Assign(tensor.shape().begin(), tensor.shape().end());
  proto.set_data_type(static_cast<int32_t>(tensor.dtype()));
}

bool has_raw_content(const Tensor& tensor, const pb::TensorProto& proto) {
  // Typed fields remain only where nobody could read them.
  return tensor.dtype() != DType::String && filled_fields(proto).count == 0;
}

void put_content(const Tensor& tensor, pb::TensorProto& proto) {
  if (tensor.dtype() == DType::String) {
    for (const std::string& text : tensor.strings()) proto.add_string_data(text);
  } else if (has_raw_content(tensor, proto)) {
    proto.set_raw_data(tensor.bytes().data(), tensor.bytes().size());
  }
}

void embed_external_data(google::protobuf::Message& message, ExternalData& external, std::string_view where) {
  size_t embedded = 0;
  for_each_tensor(message, [&](pb::TensorProto& proto) {
    if (proto.data_location() != pb::TensorProto::EXTERNAL) return;
    const auto dtype = static_cast<DType>(proto.data_type());
    const Tensor tensor = external.read(proto, dtype, read_shape(proto, dtype, where), where);
    embedded += tensor.bytes().size();
    if (embedded > kMaxEmbeddedBytes) {
      fail(ErrorCode::Unsupported, where, "external data of nested tensors must be at most {} bytes in all",
           kMaxEmbeddedBytes);
    }
    proto.clear_data_location();
    proto.clear_external_data();
    put_content(tensor, proto);
  });
}

}  // namespace halftone::onnx
