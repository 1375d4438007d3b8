#include "halftone/quant/activation_spec.h"

#include <algorithm>

#include "halftone/quant/movers.h"

namespace halftone {
namespace {

bool is_sum(const Graph& graph, const GraphIndex& index, const Node& node) {
  if (!node.is("Add")) return false;
  return std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
    return id != ValueId::None && (!graph.value(id).constant || index.is_graph_input(id));
  });
}

// Whether an Add of activations reads elements of the value, moved or not.
bool reaches_sum(const Graph& graph, const GraphIndex& index, ValueId id) {
  std::vector<ValueId> reached = {id};
  for (size_t i = 0; i < reached.size(); ++i) {
    for (int position : index.consumers(reached[i])) {
      const Node& reader = graph.nodes()[static_cast<size_t>(position)];
      if (is_sum(graph, index, reader)) return true;
      if (!moves_elements(reader)) continue;
      for (ValueId result : reader.outputs) {
        const bool known = std::find(reached.begin(), reached.end(), result) != reached.end();
        if (result != ValueId::None && !known) reached.push_back(result);
      }
    }
  }
  return false;
}

// The node whose result this is: the one that makes it, or the one in front of a Relu or Clip that it feeds alone.
const Node* maker(const Graph& graph, const GraphIndex& index, ValueId id) {
  const int producer = index.producer(id);
  if (producer < 0) return nullptr;
  const Node& node = graph.nodes()[static_cast<size_t>(producer)];
  if (!node.is("Relu") && !node.is("Clip")) return &node;
  const int before = index.producer(node.input(0));
  const bool alone = before >= 0 && index.sole_consumer(node.inputs[0]) == producer;
  return alone ? &graph.nodes()[static_cast<size_t>(before)] : &node;
}

Subject subject_of(const Graph& graph, const Node& node, ValueId tensor) {
  Subject subject{{graph.value(tensor).name}, node.op_type};
  if (!node.name.empty()) subject.names.emplace_back(node.name);
  return subject;
}

// Everything that a rule may call the value, from `id` back to the node that it is the result of.
std::vector<Subject> subjects_of(const Graph& graph, const GraphIndex& index, ValueId id) {
  std::vector<Subject> subjects;
  for (ValueId at = id; at != ValueId::None; at = source_of(graph, index, at)) {
    const int producer = index.producer(at);
    if (producer < 0) {
      subjects.push_back({{graph.value(at).name}, "Input"});
      break;
    }
    const Node& node = graph.nodes()[static_cast<size_t>(producer)];
    subjects.push_back(subject_of(graph, node, at));
    const Node* made_by = maker(graph, index, at);
    if (made_by != &node) subjects.push_back(subject_of(graph, *made_by, node.inputs[0]));
  }
  return subjects;
}

}  // namespace

bool is_product(const Node& node) {
  return node.is("Conv") || node.is("ConvTranspose") || node.is("Gemm") || node.is("MatMul");
}

bool is_summed(const Graph& graph, const GraphIndex& index, ValueId id) {
  if (reaches_sum(graph, index, id)) return true;
  const auto& readers = index.consumers(id);
  const Node* made_by = maker(graph, index, id);
  return made_by != nullptr && is_sum(graph, index, *made_by) &&
         std::any_of(readers.begin(), readers.end(),
                     [&](int i) { return !is_product(graph.nodes()[static_cast<size_t>(i)]); });
}

ActivationSpec activation_spec(const Graph& graph, const GraphIndex& index, const Recipe& recipe, ValueId id) {
  ActivationSpec found;
  for (const Subject& subject : subjects_of(graph, index, id)) {
    const std::optional<size_t> rule = recipe.find_rule(subject, Role::Activations);
    if (rule && (!found.rule || *rule < *found.rule)) found.rule = rule;
  }
  if (found.rule) {
    const std::optional<QuantSpec>& spec = recipe.rules[*found.rule].spec;
    found.in_float = !spec;
    found.spec = spec.value_or(recipe.activations);
  } else {
    found.spec = is_summed(graph, index, id) ? recipe.spec_of_sums() : recipe.activations;
    if (index.producer(id) < 0) found.spec.bits = std::max(found.spec.bits, kInputBits);
  }
  return found;
}

}  // namespace halftone
