#include "halftone/transform/separate_sums.h"

#include <algorithm>

#include "halftone/quant/activation_spec.h"
#include "halftone/quant/named_rules.h"

namespace halftone::transform {
namespace {

// Whether the node reads the value as an operand of a product, and not as a bias.
bool multiplies(const Node& node, ValueId id) {
  return is_product(node) && (node.input(0) == id || node.input(1) == id);
}

}  // namespace

Graph separate_sums(Graph graph, const Recipe& recipe) {
  if (recipe.spec_of_sums() == recipe.activations) return graph;
  const Recipe named = with_named_rules(recipe, graph);
  const GraphIndex index(graph);
  std::vector<std::vector<Node>> behind(graph.nodes().size() + 1);  // by position of the node that they follow, plus 1
  for (ValueId id : graph.live_values()) {
    if (graph.value(id).constant || !is_summed(graph, index, id)) continue;
    if (activation_spec(graph, index, named, id).rule) continue;
    std::vector<int> products;
    for (int reader : index.consumers(id)) {
      if (multiplies(graph.nodes()[static_cast<size_t>(reader)], id)) products.push_back(reader);
    }
    if (products.empty()) continue;
    const std::string name = graph.fresh_name(graph.value(id).name + "_operand");
    const ValueId operand = graph.add_value(name, graph.value(id).type);
    for (int reader : products) {
      auto& inputs = graph.nodes()[static_cast<size_t>(reader)].inputs;
      std::replace(inputs.begin(), inputs.end(), id, operand);
    }
    behind[static_cast<size_t>(index.producer(id) + 1)].push_back({name, "Identity", "", {id}, {operand}, {}, {}, {}});
  }
  std::vector<Node> nodes;
  for (size_t i = 0; i < behind.size(); ++i) {
    if (i > 0) nodes.push_back(std::move(graph.nodes()[i - 1]));
    for (Node& node : behind[i]) nodes.push_back(std::move(node));
  }
  graph.nodes() = std::move(nodes);
  return graph;
}

}  // namespace halftone::transform
