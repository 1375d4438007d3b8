// What rules of a JSON document are held against.
#pragma once

#include "halftone/quant/json_section.h"
#include "halftone/quant/recipe.h"

namespace halftone {

// The object `match`: {"name": pattern, "op": pattern, "role": "weights" or "activations", "layer": "first" or "last"},
// each optional, as the rule's name, op, role and place. Errors: Error{InvalidArgument} at the section, for other
// words, a name beside a layer, and operators that nothing here quantizes.
RecipeRule read_match(const JsonSection& match);

}  // namespace halftone
