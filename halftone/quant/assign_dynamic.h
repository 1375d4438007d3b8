// Quantization without data: matrix products whose activations get their grids at run time.
#pragma once

#include "halftone/quant/encodings.h"
#include "halftone/quant/recipe.h"

namespace halftone {

// Every MatMul and Gemm of `graph` that the recipe leaves to integers gets an entry in `dynamic`, and its constant
// weights a grid by the recipe's rules for weights. A product of two activations needs neither data nor weights. Specs
// and rules for activations say nothing here.
//
// What stays float, and why, stands in float_reasons: products that the integer planner refuses, weights that other
// nodes read as well, and all other layers. Errors: Error{InvalidModel} from shape inference and for weights that hold
// infinite numbers or NaN. Cost: a few passes over the weights.
QuantizedModel assign_dynamic(Graph graph, const Recipe& recipe, DynamicRange range);

// "per_tensor", "per_row". Errors: Error{InvalidArgument} for another word, with the nearest known one.
DynamicRange parse_dynamic_range(std::string_view text);

}  // namespace halftone
