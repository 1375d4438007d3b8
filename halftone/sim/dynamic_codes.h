// Activations on grids that are found while the network runs. Internal to the interpreter.
#pragma once

#include <vector>

#include "halftone/quant/dynamic_grid.h"
#include "halftone/quant/encodings.h"
#include "halftone/sim/interpreter.h"

namespace halftone::sim {

struct DynamicCodes {
  Tensor steps;             // int32, q - zero_point
  std::vector<Grid> grids;  // one, or one per row
};

// Input i of the node, rounded. NaN is left out of the range. Errors: Error{InvalidModel} unless it is float,
// Error{NumericRange} where its numbers are infinite or too far apart.
DynamicCodes quantize_dynamically(const OpCall& call, size_t i, DynamicRange range);

}  // namespace halftone::sim
