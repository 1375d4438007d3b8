#include "tests/roundtrip/canonical.h"

#include <cstring>
#include <stdexcept>
#include <string>

namespace halftone::test {
namespace {

template <typename Stored, typename Field>
void append(const Field& field, std::string& bytes) {
  for (const auto entry : field) {
    const auto stored = static_cast<Stored>(entry);
    bytes.append(reinterpret_cast<const char*>(&stored), sizeof(stored));
  }
}

// "Content of tensors stands in raw_data."
void canonicalize(::onnx::TensorProto& tensor) {
  if (tensor.has_raw_data()) return;
  std::string bytes;
  switch (tensor.data_type()) {
    case ::onnx::TensorProto::STRING:
      return;
    case ::onnx::TensorProto::FLOAT:
      append<float>(tensor.float_data(), bytes);
      tensor.clear_float_data();
      break;
    case ::onnx::TensorProto::INT64:
      append<int64_t>(tensor.int64_data(), bytes);
      tensor.clear_int64_data();
      break;
    case ::onnx::TensorProto::INT32:
      append<int32_t>(tensor.int32_data(), bytes);
      tensor.clear_int32_data();
      break;
    case ::onnx::TensorProto::BOOL:
      append<uint8_t>(tensor.int32_data(), bytes);
      tensor.clear_int32_data();
      break;
    default:
      throw std::logic_error("no canonical form for data type " + std::to_string(tensor.data_type()));
  }
  tensor.set_raw_data(bytes);
}

}  // namespace

void canonicalize(::onnx::ModelProto& model) {
  auto& graph = *model.mutable_graph();
  for (auto& tensor : *graph.mutable_initializer()) canonicalize(tensor);
  for (auto& node : *graph.mutable_node()) {
    for (auto& attribute : *node.mutable_attribute()) {
      if (attribute.has_t()) canonicalize(*attribute.mutable_t());
    }
  }
}

}  // namespace halftone::test
