// Which method trains which tensor.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "halftone/quant/assign.h"
#include "halftone/quant/recipe.h"
#include "halftone/quant/step_request.h"

namespace halftone::train {

// Patterns are those of RecipeRule: of names of layers and tensors, and of operators.
struct QuantizerRule {
  std::string name = "*", op = "*";
  std::optional<Role> role;  // nullopt: what the quantizer is for
  StepRequest quantizer;
  Place place = Place::Anywhere;  // as that of RecipeRule
};

struct QuantizerChoice {
  StepRequest weights{"lsq", {}};
  StepRequest activations{"lsq", {}};
  std::vector<QuantizerRule> rules = {};  // the first that matches decides
};

// A choice as it applies to one network.
class QuantizerTable {
 public:
  // Errors: Error{InvalidArgument} naming the rule, for a method that is not known or not for its role, and for a name
  // or an operator that nothing in the network has, with the nearest one that is there.
  QuantizerTable(const QuantizerChoice& choice, const Graph& graph);

  // Of a layer's weights: rules speak of the layer's name and of the tensor's.
  const StepRequest& of(const WeightPlan& layer) const;
  // Of values that share a grid: the first rule that matches one of them decides, as recipes match activations.
  const StepRequest& of(const GridGroup& group) const;

 private:
  const StepRequest& decided(std::optional<size_t> rule, const StepRequest& otherwise) const;

  QuantizerChoice choice_;
  const Graph& graph_;
  GraphIndex index_;
  Recipe weights_, activations_;  // the rules in the words of recipes, at the same positions
};

}  // namespace halftone::train
