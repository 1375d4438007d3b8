// Which grid a recipe asks for an activation.
#pragma once

#include <optional>

#include "halftone/quant/recipe.h"

namespace halftone {

// Pixels and samples of sound come with so many: fewer would throw away before the first layer what cost nothing.
constexpr int kInputBits = 8;

struct ActivationSpec {
  QuantSpec spec;
  bool in_float = false;       // the recipe keeps it without a grid
  std::optional<size_t> rule;  // position of the rule that decided; nullopt: the recipe's defaults
};

// The first rule that matches the value, by its own name and that of the node that makes it. To a user, the result of a
// convolution that absorbs its Relu is the convolution's, and what a Flatten hands on is that of the node before it.
// Without a rule sums get Recipe::spec_of_sums(), all others Recipe::activations, and inputs of the network kInputBits
// at least.
ActivationSpec activation_spec(const Graph& graph, const GraphIndex& index, const Recipe& recipe, ValueId id);

// Whether the value is part of a sum of activations: an Add of two of them reads it, moved or not (a Slice and a Pad of
// a shortcut), or makes it (alone with a Relu or Clip behind it) for others than products. What only products read is
// an operand of theirs.
bool is_summed(const Graph& graph, const GraphIndex& index, ValueId id);

// Conv, ConvTranspose, Gemm, MatMul.
bool is_product(const Node& node);

}  // namespace halftone
