#include "halftone/onnx/internal/export_graph.h"

#include <map>
#include <string>
#include <utility>

#include "halftone/onnx/internal/attribute_proto.h"
#include "halftone/onnx/internal/function_proto.h"
#include "halftone/onnx/internal/model_header.h"
#include "halftone/onnx/internal/subgraph.h"
#include "halftone/onnx/internal/tensor_proto.h"
#include "halftone/onnx/internal/value_info.h"

namespace halftone::onnx {
namespace {

class GraphExporter {
 public:
  explicit GraphExporter(const Graph& graph)
      : graph_(graph), model_(from_carried<pb::ModelProto>(graph.carried)), proto_(*model_.mutable_graph()) {}

  ModelParts put() {
    put_header(graph_, model_);
    for (const Function& function : graph_.functions) *model_.add_functions() = put_function(function);
    if (!graph_.name.empty()) proto_.set_name(graph_.name);
    for (const Node& node : graph_.nodes()) put_node(node);
    for (const ValueId id : graph_.inputs()) {
      const pb::GraphProto rest = rest_of(id);
      put_value(id, rest.input(), *proto_.add_input());
    }
    for (const ValueId id : graph_.outputs()) {
      const pb::GraphProto rest = rest_of(id);
      put_value(id, rest.output(), *proto_.add_output());
    }
    put_value_info();
    ModelParts parts;
    put_initializers(parts);
    parts.model.Swap(&model_);
    return parts;
  }

 private:
  pb::GraphProto rest_of(ValueId id) const { return from_carried<pb::GraphProto>(graph_.value(id).carried); }

  template <typename Rests>
  void put_value(ValueId id, const Rests& rests, pb::ValueInfoProto& to) const {
    if (!rests.empty()) to = rests[0];
    put_tensor_type(graph_.value(id), to);
  }

  std::string name_of(ValueId id) const { return id == ValueId::None ? std::string() : graph_.value(id).name; }

  void put_node(const Node& node) {
    auto proto = from_carried<pb::NodeProto>(node.carried);
    if (proto.attribute_size() > 0 && proto.attribute(0).name() == kSparseInitializer) {
      put_sparse_initializer(node);
      return;
    }
    for (const ValueId id : node.inputs) proto.add_input(name_of(id));
    for (const ValueId id : node.outputs) proto.add_output(name_of(id));
    proto.set_op_type(node.op_type);
    if (!node.name.empty()) proto.set_name(node.name);
    // A carried domain is a spelling of ONNX's own.
    if (!node.domain.empty()) proto.set_domain(node.domain);
    for (const Attribute& attribute : node.attributes) *proto.add_attribute() = put_attribute(attribute);
    rename_captures(node, proto);
    proto_.add_node()->Swap(&proto);
  }

  // Captured values may have been renamed, or replaced by others, since the subgraphs were read.
  void rename_captures(const Node& node, pb::NodeProto& proto) const {
    if (node.captures.empty()) return;
    const std::vector<std::string> reads = outer_reads(proto);
    HT_CHECK(reads.size() == node.captures.size(), "{} captures for {} names that the subgraphs of {} read",
             node.captures.size(), reads.size(), describe(proto));
    std::map<std::string, std::string> renames;
    for (size_t i = 0; i < reads.size(); ++i) {
      const std::string& name = graph_.value(node.captures[i]).name;
      if (name != reads[i]) renames[reads[i]] = name;
    }
    if (!renames.empty()) rename_outer_reads(proto, renames);
  }

  void put_sparse_initializer(const Node& node) {
    const Attribute* attribute = node.find_attribute("sparse_value");
    HT_CHECK(attribute != nullptr && node.outputs.size() == 1, "sparse initializer without content");
    auto content = put_attribute(*attribute);
    content.mutable_sparse_tensor()->mutable_values()->set_name(name_of(node.outputs[0]));
    proto_.add_sparse_initializer()->Swap(content.mutable_sparse_tensor());
  }

  void put_value_info() {
    std::vector<bool> wanted(graph_.value_count());
    for (const ValueId id : graph_.live_values()) wanted[static_cast<size_t>(id)] = graph_.value(id).declared;
    for (const auto* interface : {&graph_.inputs(), &graph_.outputs()}) {
      for (const ValueId id : *interface) wanted[static_cast<size_t>(id)] = rest_of(id).value_info_size() > 0;
    }
    const auto put_once = [&](ValueId id) {
      if (!wanted[static_cast<size_t>(id)]) return;
      wanted[static_cast<size_t>(id)] = false;
      const pb::GraphProto rest = rest_of(id);
      put_value(id, rest.value_info(), *proto_.add_value_info());
    };
    // First in the file's order, entries of names that are not the graph's between them; then what is new.
    google::protobuf::RepeatedPtrField<pb::ValueInfoProto> order;
    order.Swap(proto_.mutable_value_info());
    for (auto& entry : order) {
      const ValueId id = graph_.find(entry.name());
      if (id != ValueId::None) {
        put_once(id);
      } else if (entry.has_type()) {
        proto_.add_value_info()->Swap(&entry);
      }
    }
    for (const ValueId id : graph_.live_values()) put_once(id);
  }

  void put_initializers(ModelParts& parts) const {
    for (const ValueId id : graph_.live_values()) {
      const Value& value = graph_.value(id);
      if (!value.constant) continue;
      const pb::GraphProto rest = rest_of(id);
      InitializerParts& part = parts.initializers.emplace_back();
      if (rest.initializer_size() > 0) part.proto = rest.initializer(0);
      part.proto.set_name(value.name);
      put_type(*value.constant, part.proto);
      part.tensor = *value.constant;
    }
  }

  const Graph& graph_;
  pb::ModelProto model_;
  pb::GraphProto& proto_;
};

}  // namespace

ModelParts put_graph(const Graph& graph) { return GraphExporter(graph).put(); }

}  // namespace halftone::onnx
