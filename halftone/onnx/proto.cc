#include "halftone/onnx/internal/proto.h"

#include <google/protobuf/message.h>

#include <vector>

namespace halftone::onnx {

std::string show_name(std::string_view name) {
  constexpr size_t kShown = 120;
  if (name.size() <= kShown) return fmt::format("'{}'", name);
  return fmt::format("'{}...' ({} bytes)", name.substr(0, kShown), name.size());
}

std::string describe(const pb::NodeProto& node) {
  if (!node.name().empty()) return fmt::format("{} {}", node.op_type(), show_name(node.name()));
  for (const std::string& output : node.output()) {
    if (!output.empty()) return fmt::format("{} making {}", node.op_type(), show_name(output));
  }
  return node.op_type();
}

void for_each_tensor(google::protobuf::Message& message, const std::function<void(pb::TensorProto&)>& visit) {
  if (auto* tensor = dynamic_cast<pb::TensorProto*>(&message)) {
    visit(*tensor);
    return;
  }
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      for_each_tensor(*reflection.MutableMessage(&message, field), visit);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      for_each_tensor(*reflection.MutableRepeatedMessage(&message, field, i), visit);
    }
  }
}

}  // namespace halftone::onnx
