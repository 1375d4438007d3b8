// Values that are both summed and multiplied, on a grid for each.
#pragma once

#include "halftone/graph/graph.h"
#include "halftone/quant/recipe.h"

namespace halftone::transform {

// Where the recipe gives sums of activations another grid than operands of products (Recipe::spec_of_sums), a value
// that sums and products read is handed on to the products by an Identity, which has the products' grid: the stream of
// a residual network keeps its bits while every multiplication reads as few as asked. The network computes the same;
// without such values it comes back as it is. A value whose grid a rule decides is left alone.
Graph separate_sums(Graph graph, const Recipe& recipe);

}  // namespace halftone::transform
