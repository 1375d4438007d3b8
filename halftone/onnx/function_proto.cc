#include "halftone/onnx/internal/function_proto.h"

#include "halftone/onnx/internal/export_graph.h"
#include "halftone/onnx/internal/tensor_proto.h"

namespace halftone::onnx {

void take_functions(pb::ModelProto& model, Graph& graph) {
  for (const auto& proto : model.functions()) {
    graph.functions.push_back({proto.domain(), proto.name(), nullptr, proto.SerializeAsString()});
  }
  model.clear_functions();
}

pb::FunctionProto put_function(const Function& function) {
  if (function.body == nullptr) return from_carried<pb::FunctionProto>(function.carried);
  ModelParts parts = put_graph(*function.body);
  pb::GraphProto& body = *parts.model.mutable_graph();
  pb::FunctionProto proto;
  proto.set_domain(function.domain);
  proto.set_name(function.name);
  for (const auto& input : body.input()) proto.add_input(input.name());
  for (const auto& output : body.output()) proto.add_output(output.name());
  for (InitializerParts& constant : parts.initializers) {
    pb::NodeProto& node = *proto.add_node();
    node.set_op_type("Constant");
    node.add_output(constant.proto.name());
    pb::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name("value");
    attribute.set_type(pb::AttributeProto::TENSOR);
    put_content(constant.tensor, constant.proto);
    attribute.mutable_t()->Swap(&constant.proto);
  }
  for (auto& node : *body.mutable_node()) proto.add_node()->Swap(&node);
  proto.mutable_opset_import()->Swap(parts.model.mutable_opset_import());
  return proto;
}

}  // namespace halftone::onnx
