// Activations that use fewer codes than their type in the file has. Internal to what reads and writes quantized files.
#pragma once

#include <string>
#include <vector>

#include "halftone/graph/graph.h"
#include "halftone/quant/quant_params.h"

namespace halftone {

// The least and the most real number of a grid, for each of its scales. They lie on the grid, so that what is rounded
// afterwards stays between them, and numbers between them are rounded as ever.
struct CodeBounds {
  std::vector<float> low, high;
};
CodeBounds bounds_of(const QuantParams& params);

// Appends what holds `real` between the bounds, and returns its result, STEM_clipped: a Clip named NODE_STEM_Clip, or
// for a grid by channel, and `in_two`, Max and Min, NODE_STEM_Max and NODE_STEM_Min. Errors: Error{Unsupported} for
// blocks, and for a grid by channel on a value of unknown rank.
ValueId write_bounds(Graph& graph, ValueId real, const std::string& stem, const std::string& node_stem,
                     const QuantParams& params, bool in_two = false);

}  // namespace halftone
