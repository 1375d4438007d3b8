// Rounding without data that keeps sums of weights.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "halftone/ptq/workbench.h"

namespace halftone::ptq {

// One rounded weight, in steps of its scale.
struct RoundedWeight {
  double error = 0;                       // code - zero point - weight / scale
  int32_t code = 0, low = 0, high = 255;  // the code chosen, and those there are
};

// What keeps its sum.
struct SquantLevels {
  bool kernels = true;   // the weights between one input and one output channel
  bool channels = true;  // all weights of an output channel
};

// Rounds some weights of one output channel the other way, so that errors add up to at most half a step in each kernel,
// and then in the channel as a whole (in each kernel to less than a step then). In a kernel those with the largest
// errors of the sum's sign go first; in a channel the kernels with the largest sums, by the weight that is next in
// turn. `channel` has its kernels of `kernel` elements one after the other. Weights that have no code beyond stay, and
// with too few others a sum stays larger. Cost: O(n log n). Source: Guo et al. 2022 (SQuant), arXiv 2202.07471,
// algorithms 1 and 2.
void flip_roundings(std::span<RoundedWeight> channel, int64_t kernel, SquantLevels levels);

// Every layer whose name matches `layers`: weights become what flip_roundings makes of their nearest codes. Where
// neighbouring inputs are alike, sums are what their errors do to results, so this helps depthwise layers most; the
// mean that is left is correct_bias's. Grids that are not evenly spaced, and weights that a step before has rounded,
// stay as they are. Looks at no samples. Determinism: always the same.
void squant(Workbench& bench, std::string_view layers, SquantLevels levels);

}  // namespace halftone::ptq
