#include "halftone/transform/upgrade_opset.h"

#include <algorithm>

#include "halftone/graph/op_table.h"
#include "halftone/transform/upgrade_rules.h"

namespace halftone {
namespace upgrade_rules {

int64_t Upgrader::rank(ValueId id) const {
  if (id == ValueId::None) return -1;
  const TensorType& type = graph_.value(id).type;
  return type.ranked() ? type.rank() : -1;
}

std::string Upgrader::name_for(const Node& node, std::string_view what) const {
  const std::string& stem = node.name.empty() ? graph_.value(node.outputs.at(0)).name : node.name;
  return graph_.fresh_name(fmt::format("{}_{}", stem, what));
}

ValueId Upgrader::add_constant(const Node& node, std::string_view what, Tensor tensor) {
  return graph_.add_constant(name_for(node, what), std::move(tensor));
}

ValueId Upgrader::add_value(const Node& node, std::string_view what) { return graph_.add_value(name_for(node, what)); }

ValueId Upgrader::integers(const Node& node, std::string_view what, const std::vector<int64_t>& values) {
  return add_constant(node, what, Tensor::from({static_cast<int64_t>(values.size())}, values));
}

ValueId Upgrader::scalar(const Node& node, std::string_view what, float value) {
  const DType dtype = graph_.value(node.input(0)).type.dtype;
  if (dtype == DType::Undefined) refuse(node, "the element type of its input must be known");
  return add_constant(node, what, convert(Tensor::scalar(value), dtype));
}

}  // namespace upgrade_rules

namespace {

struct Change {
  std::string_view op;
  int64_t since;
  upgrade_rules::Rule rule;
};

constexpr Change kChanges[] = {
#define HT_UPGRADE(op, since, rule) {#op, since, upgrade_rules::rule},
#include "halftone/transform/upgrade_opset.def"
#undef HT_UPGRADE
};

bool has_opaque_parts(const Node& node) {
  return !node.captures.empty() || std::any_of(node.attributes.begin(), node.attributes.end(), [](const Attribute& a) {
    return std::holds_alternative<OpaqueAttribute>(a.value);
  });
}

}  // namespace

Graph upgrade_opset(Graph graph, int64_t target) {
  const int64_t source = graph.opset();
  if (source >= target) return graph;
  HT_CHECK(target >= 13 && target <= 25, "opset {}", target);
  if (source < 7) {
    fail(ErrorCode::Unsupported, graph.name, "opset 7 or newer is required, found {}", source);
  }
  infer_shapes(graph);
  upgrade_rules::Upgrader upgrader(graph);
  for (const Change& change : kChanges) {
    if (change.since <= source || change.since > target) continue;
    const std::vector<Node> nodes = std::move(graph.nodes());
    for (const Node& node : nodes) {
      if (node.is(change.op)) {
        change.rule(upgrader, node);
      } else {
        upgrader.emit(node);
      }
    }
    graph.nodes() = upgrader.take();
  }
  for (const Node& node : graph.nodes()) {
    if (node.domain.empty() && has_opaque_parts(node)) {
      upgrader.refuse(node, "its subgraph is written in opset {} and can't be raised to {}", source, target);
    }
  }
  graph.opset_imports[""] = target;
  return graph;
}

}  // namespace halftone
