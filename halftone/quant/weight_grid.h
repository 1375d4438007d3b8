// Grids of constant weights, from their content alone. Internal to the assignment of encodings.
#pragma once

#include <cmath>
#include <vector>

#include "halftone/quant/quant_params.h"

namespace halftone {

// A weight tensor's grid while it is being made.
struct WeightGrid {
  QuantParams params;
  QuantSpec spec;
  // The smallest scale that makes a difference: below 2^-40 of the largest, a channel vanishes on any grid that its
  // results share with the others; and the ratios of scales must stay normal numbers.
  float floor = std::ldexp(1.0F, -100);
  std::vector<bool> empty;  // by channel: all weights are zero, the scale is free
};

// The grid of `spec` over the weights, with a scale per slice of `axis`, or one for all (-1). Channels without weights
// get the scale 0, which `finish` replaces.
WeightGrid grid_of_weights(const QuantSpec& spec, int64_t axis, const Tensor& weights);

// Gives channels without weights the largest scale of the others.
void finish(WeightGrid& grid);

}  // namespace halftone
