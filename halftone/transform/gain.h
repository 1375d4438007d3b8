// How much larger weights must be for the function behind them.
#pragma once

#include <vector>

#include "halftone/graph/graph.h"

namespace halftone::transform {

// For each value, by ValueId, the gain of the functions that read it: 1 / sqrt(E[f(z)^2]) for standard normal z, so
// that weights of the variance gain^2 / fan_in pass on what they get in its size (He et al. 2015, equations 7 to 10,
// where f is Relu and E is 1/2). Sums, normalizations, pools and what moves elements are looked through; of several
// functions the largest gain counts; 1 where there is none before the next product. E is computed with the operator's
// own function. Errors: as sim::compute. Cost: O(edges), and 1024 elements of each function.
std::vector<double> gains_behind(const Graph& graph);

}  // namespace halftone::transform
