// Rules of a recipe that speak of places in a network, in the words of one network.
#pragma once

#include "halftone/graph/graph.h"
#include "halftone/quant/recipe.h"

namespace halftone {

// The recipe with the names of `graph` in the place of RecipeRule::place: the first or last product with constant
// weights, in the order of the nodes. A rule for weights names them, one for activations what the product reads, from
// where it is made to where it is read (a Flatten between them moves it), one without a role its result. In a network
// without products such a rule matches nothing. Rules keep their positions. Cost: O(nodes).
Recipe with_named_rules(Recipe recipe, const Graph& graph);

}  // namespace halftone
