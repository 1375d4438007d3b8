#include "halftone/quant/named_rules.h"

#include <algorithm>

#include "halftone/quant/activation_spec.h"
#include "halftone/quant/movers.h"

namespace halftone {
namespace {

bool has_weights(const Graph& graph, const Node& node) {
  const ValueId weights = node.input(1);
  return is_product(node) && weights != ValueId::None && graph.value(weights).constant.has_value();
}

// What Planner calls the tensor that the rule is about. Of activations, where they were made: between there and the
// product they may be moved (a pool's means through a Flatten), and are the same numbers all the way.
ValueId tensor_of(const Graph& graph, const GraphIndex& index, const Node& product, std::optional<Role> role) {
  if (!role) return product.output(0);
  if (role == Role::Weights) return product.input(1);
  ValueId id = product.input(0);
  for (ValueId source = id; source != ValueId::None; source = source_of(graph, index, id)) id = source;
  return id;
}

}  // namespace

Recipe with_named_rules(Recipe recipe, const Graph& graph) {
  const auto anywhere = [](const RecipeRule& rule) { return rule.place == Place::Anywhere; };
  if (std::all_of(recipe.rules.begin(), recipe.rules.end(), anywhere)) return recipe;
  const GraphIndex index(graph);
  const Node *first = nullptr, *last = nullptr;
  for (const Node& node : graph.nodes()) {
    if (!has_weights(graph, node)) continue;
    if (first == nullptr) first = &node;
    last = &node;
  }
  for (RecipeRule& rule : recipe.rules) {
    if (rule.place == Place::Anywhere) continue;
    const Node* product = rule.place == Place::First ? first : last;
    rule.place = Place::Anywhere;
    rule.name = product == nullptr ? "" : graph.value(tensor_of(graph, index, *product, rule.role)).name;
  }
  return recipe;
}

}  // namespace halftone
