#include "halftone/runtime/freeze.h"

#include "halftone/graph/op_table.h"

namespace halftone::runtime {
namespace {

std::string key_of(const Graph& graph, const Node& node) {
  return node.output(0) == ValueId::None ? "" : graph.value(node.outputs[0]).name;
}

// The plan is made on the network as it was given, as the interpreter's is, and follows the nodes through the passes by
// the names of their results.
void take_plan(FrozenModel& frozen, RequantizeMode mode) {
  const Graph& graph = frozen.model.graph;
  IntegerPlan plan = plan_integers(frozen.model, mode);
  for (const auto& [position, reason] : plan.refusals) {
    frozen.refusals[key_of(graph, graph.nodes()[static_cast<size_t>(position)])] = reason;
  }
  for (std::optional<IntegerNode>& planned : plan.nodes) {
    if (!planned) continue;
    const std::string key = key_of(graph, graph.nodes()[static_cast<size_t>(planned->node)]);
    frozen.keep.insert(key);
    for (const IntegerOutput& output : planned->outputs) frozen.keep.insert(graph.value(output.value).name);
    frozen.integers.emplace(key, std::move(*planned));
  }
}

// What readers want of a constant that has an encoding.
struct Readers {
  bool real = false;   // rounded to its grid
  bool codes = false;  // of its grid; nodes with weights have theirs in the plan
};

Readers readers_of(const FrozenModel& frozen, const GraphIndex& index, ValueId id) {
  const Graph& graph = frozen.model.graph;
  Readers readers;
  readers.real = index.is_graph_output(id);
  for (int position : index.consumers(id)) {
    const Node& node = graph.nodes()[static_cast<size_t>(position)];
    const auto planned = frozen.integers.find(key_of(graph, node));
    if (planned == frozen.integers.end()) {
      readers.real = true;
      continue;
    }
    const IntegerNode& plan = planned->second;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == id && plan.reads(i)) (plan.inputs[i] ? readers.codes : readers.real) = true;
    }
  }
  return readers;
}

}  // namespace

FrozenModel freeze(QuantizedModel model, const transform::KeepNames& taps, RequantizeMode mode) {
  // The rules of lowering rely on it: operands are there, types and shapes agree.
  verify(model.graph);
  infer_shapes(model.graph);
  FrozenModel frozen;
  frozen.model = std::move(model);
  frozen.keep = taps;
  for (const auto& [name, encoding] : frozen.model.encodings) frozen.keep.insert(name);
  if (frozen.model.quantized()) take_plan(frozen, mode);
  frozen.model = transform::simplify(std::move(frozen.model), frozen.keep);

  Graph& graph = frozen.model.graph;
  const GraphIndex index(graph);
  for (ValueId id : graph.live_values()) {
    Value& value = graph.value(id);
    const Encoding* encoding = find_encoding(frozen.model, id);
    if (!value.constant || encoding == nullptr) continue;
    const Readers readers = readers_of(frozen, index, id);
    if (readers.real || taps.contains(value.name)) {
      value.constant = fake_quantize(*value.constant, encoding->params);
    } else if (!readers.codes) {
      value.constant.reset();
    }
  }
  return frozen;
}

}  // namespace halftone::runtime
