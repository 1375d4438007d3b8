#include "halftone/quant/named_rules.h"

#include <algorithm>

#include "halftone/quant/activation_spec.h"

namespace halftone {
namespace {

bool has_weights(const Graph& graph, const Node& node) {
  const ValueId weights = node.input(1);
  return is_product(node) && weights != ValueId::None && graph.value(weights).constant.has_value();
}

// What Planner calls the tensor that the rule is about.
ValueId tensor_of(const Node& product, std::optional<Role> role) {
  if (!role) return product.output(0);
  return role == Role::Weights ? product.input(1) : product.input(0);
}

}  // namespace

Recipe with_named_rules(Recipe recipe, const Graph& graph) {
  const auto anywhere = [](const RecipeRule& rule) { return rule.place == Place::Anywhere; };
  if (std::all_of(recipe.rules.begin(), recipe.rules.end(), anywhere)) return recipe;
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
    rule.name = product == nullptr ? "" : graph.value(tensor_of(*product, rule.role)).name;
  }
  return recipe;
}

}  // namespace halftone
