#include "halftone/onnx/internal/import_graph.h"

#include <unordered_map>
#include <utility>

#include "halftone/onnx/internal/attribute_proto.h"
#include "halftone/onnx/internal/function_proto.h"
#include "halftone/onnx/internal/model_header.h"
#include "halftone/onnx/internal/subgraph.h"
#include "halftone/onnx/internal/tensor_proto.h"
#include "halftone/onnx/internal/value_info.h"

namespace halftone::onnx {
namespace {

// One use each: takes the graph's parts in an order in which names are known before they are read.
class GraphImporter {
 public:
  GraphImporter(pb::GraphProto& proto, ExternalData& external, Graph graph)
      : proto_(proto), external_(external), graph_(std::move(graph)) {}

  Graph take() {
    take_initializers();
    take_inputs();
    declare_node_outputs();
    take_sparse_initializers();
    for (auto& node : *proto_.mutable_node()) take_node(node);
    proto_.clear_node();
    take_outputs();
    take_value_info();
    sort_if_needed();
    for (const auto& [id, rest] : rests_) graph_.value(id).carried = rest.SerializeAsString();
    if (!proto_.name().empty()) {
      graph_.name = proto_.name();
      proto_.clear_name();
    }
    return std::move(graph_);
  }

 private:
  // Values are made once: by an initializer or input, or by one node.
  ValueId make_value(const std::string& name, std::string_view maker) {
    if (name.empty()) fail(ErrorCode::InvalidModel, maker, "a value must have a name, found none");
    if (graph_.find(name) != ValueId::None) {
      fail(ErrorCode::InvalidModel, maker, "each value must be made once, but {} is made twice", show_name(name));
    }
    return graph_.add_value(name);
  }

  ValueId find_value(const std::string& name, std::string_view reader) const {
    const ValueId id = graph_.find(name);
    if (id == ValueId::None) {
      fail(ErrorCode::InvalidModel, reader, "reads {}, which no input, initializer or node makes", show_name(name));
    }
    return id;
  }

  void declare(ValueId id, const TensorType& type, std::string_view where) {
    Value& value = graph_.value(id);
    value.type = merge_types(value.type, type, where);
    value.declared = true;
  }

  void take_initializers() {
    for (auto& proto : *proto_.mutable_initializer()) {
      const std::string where = "initializer " + show_name(proto.name());
      const ValueId id = make_value(proto.name(), where);
      proto.clear_name();
      graph_.value(id).constant = take_tensor(proto, external_, where);
      if (proto.ByteSizeLong() > 0) rests_[id].add_initializer()->Swap(&proto);
    }
    proto_.clear_initializer();
  }

  void take_inputs() {
    std::vector<bool> taken(graph_.value_count());
    for (auto& proto : *proto_.mutable_input()) {
      const std::string where = "input " + show_name(proto.name());
      // An initializer of the same name is the input's default.
      ValueId id = graph_.find(proto.name());
      if (id == ValueId::None || taken.at(static_cast<size_t>(id))) id = make_value(proto.name(), where);
      taken.resize(graph_.value_count());
      taken[static_cast<size_t>(id)] = true;
      graph_.inputs().push_back(id);
      declare(id, take_tensor_type(proto, where), where);
      if (proto.ByteSizeLong() > 0) rests_[id].add_input()->Swap(&proto);
    }
    proto_.clear_input();
    // Where nothing is declared, an initializer's type is its tensor's.
    for (const ValueId id : graph_.live_values()) {
      Value& value = graph_.value(id);
      if (value.constant && !value.declared) {
        value.type = TensorType{value.constant->dtype(), to_dims(value.constant->shape())};
      }
    }
  }

  void declare_node_outputs() {
    for (const auto& node : proto_.node()) {
      for (const std::string& output : node.output()) {
        if (!output.empty()) make_value(output, describe(node));
      }
    }
  }

  // A sparse initializer is to the graph what a Constant node with that content is; export turns it back.
  void take_sparse_initializers() {
    for (auto& proto : *proto_.mutable_sparse_initializer()) {
      const std::string name = proto.values().name();
      const std::string where = "sparse initializer " + show_name(name);
      const ValueId id = make_value(name, where);
      embed_external_data(proto, external_, where);
      graph_.value(id).type.dtype = static_cast<DType>(proto.values().data_type());
      pb::AttributeProto attribute;
      attribute.set_name("sparse_value");
      attribute.set_type(pb::AttributeProto::SPARSE_TENSOR);
      attribute.mutable_sparse_tensor()->Swap(&proto);
      pb::NodeProto mark;
      mark.add_attribute()->set_name(std::string(kSparseInitializer));
      Node node;
      node.op_type = "Constant";
      node.outputs = {id};
      node.attributes.push_back({attribute.name(), OpaqueAttribute{attribute.SerializeAsString()}, {}});
      node.carried = mark.SerializeAsString();
      graph_.nodes().push_back(std::move(node));
    }
    proto_.clear_sparse_initializer();
  }

  void take_node(pb::NodeProto& proto) {
    const std::string where = describe(proto);
    if (proto.op_type().empty()) {
      fail(ErrorCode::InvalidModel, fmt::format("node {}", show_name(proto.name())),
           "a node must have an op_type, found none");
    }
    Node node;
    for (const std::string& input : proto.input()) {
      node.inputs.push_back(input.empty() ? ValueId::None : find_value(input, where));
    }
    for (const std::string& output : proto.output()) node.outputs.push_back(graph_.find(output));
    for (const std::string& name : outer_reads(proto)) node.captures.push_back(find_value(name, where + ", subgraph"));
    for (auto& attribute : *proto.mutable_attribute()) {
      node.attributes.push_back(take_attribute(attribute, external_, where));
    }
    check_attribute_names(node, where);
    node.op_type = std::move(*proto.mutable_op_type());
    if (!proto.name().empty()) {
      node.name = std::move(*proto.mutable_name());
      proto.clear_name();
    }
    if (!proto.domain().empty() && proto.domain() != "ai.onnx") {
      node.domain = std::move(*proto.mutable_domain());
      proto.clear_domain();
    }
    if (node.domain.empty() && !graph_.opset_imports.contains("")) {
      fail(ErrorCode::InvalidModel, where, "the model must import ONNX's operator set, found no version of it");
    }
    proto.clear_op_type();
    proto.clear_input();
    proto.clear_output();
    proto.clear_attribute();
    node.carried = proto.SerializeAsString();
    graph_.nodes().push_back(std::move(node));
  }

  static void check_attribute_names(const Node& node, std::string_view where) {
    std::unordered_map<std::string_view, int> seen;
    for (const Attribute& attribute : node.attributes) {
      if (++seen[attribute.name] > 1) {
        fail(ErrorCode::InvalidModel, where, "each attribute must stand once, found {} twice",
             show_name(attribute.name));
      }
    }
  }

  void take_outputs() {
    std::vector<bool> taken(graph_.value_count());
    for (auto& proto : *proto_.mutable_output()) {
      const std::string where = "output " + show_name(proto.name());
      const ValueId id = find_value(proto.name(), where);
      if (taken[static_cast<size_t>(id)])
        fail(ErrorCode::InvalidModel, where, "each output must stand once, found two");
      taken[static_cast<size_t>(id)] = true;
      graph_.outputs().push_back(id);
      declare(id, take_tensor_type(proto, where), where);
      if (proto.ByteSizeLong() > 0) rests_[id].add_output()->Swap(&proto);
    }
    proto_.clear_output();
    if (graph_.outputs().empty()) fail(ErrorCode::InvalidModel, "graph", "a graph must have an output, found none");
  }

  // The list stays in proto_: names for the order, and entries of names that nothing in this graph has.
  void take_value_info() {
    const GraphIndex index(graph_);
    std::vector<bool> taken(graph_.value_count());
    for (auto& proto : *proto_.mutable_value_info()) {
      const std::string where = "value_info " + show_name(proto.name());
      const ValueId id = graph_.find(proto.name());
      if (id == ValueId::None) continue;
      if (taken[static_cast<size_t>(id)]) fail(ErrorCode::InvalidModel, where, "each value must stand once, found two");
      taken[static_cast<size_t>(id)] = true;
      std::string name = proto.name();
      declare(id, take_tensor_type(proto, where), where);
      // Inputs and outputs need no such entry, so that its presence is remarkable.
      const bool is_interface = index.is_graph_input(id) || index.is_graph_output(id);
      if (is_interface || proto.ByteSizeLong() > 0) rests_[id].add_value_info()->Swap(&proto);
      proto.Clear();
      proto.set_name(std::move(name));
    }
  }

  void sort_if_needed() {
    const GraphIndex index(graph_);
    for (int i = 0; i < static_cast<int>(graph_.nodes().size()); ++i) {
      const Node& node = graph_.nodes()[static_cast<size_t>(i)];
      for (const auto* reads : {&node.inputs, &node.captures}) {
        for (const ValueId id : *reads) {
          if (id != ValueId::None && index.producer(id) >= i) {
            graph_.sort();
            return;
          }
        }
      }
    }
  }

  pb::GraphProto& proto_;
  ExternalData& external_;
  Graph graph_;
  std::unordered_map<ValueId, pb::GraphProto> rests_;
};

}  // namespace

Graph take_graph(pb::ModelProto& model, ExternalData& external) {
  Graph graph;
  take_header(model, graph);
  graph = GraphImporter(*model.mutable_graph(), external, std::move(graph)).take();
  embed_external_data(model, external, "functions and training");
  take_functions(model, graph);
  graph.carried = model.SerializeAsString();
  return graph;
}

}  // namespace halftone::onnx
