// Grids of constant weights, from their content alone. Internal to the assignment of encodings.
#pragma once

#include <cmath>
#include <vector>

#include "halftone/quant/quant_params.h"

namespace halftone {

// A weight tensor's grid while it is being made: with one scale per slice, which PerGroup turns into scales per channel
// at the end.
struct WeightGrid {
  QuantParams params;
  QuantSpec spec;
  int64_t channels = 1;  // along the axis of the scales
  int64_t channels_per_slice = 1;
  // The smallest scale that makes a difference: below 2^-40 of the largest, a channel vanishes on any grid that its
  // results share with the others; and the ratios of scales must stay normal numbers.
  float floor = std::ldexp(1.0F, -100);
  std::vector<bool> empty;  // by slice: all weights are zero, the scale is free

  // The slice of an output channel; grids by block have none.
  size_t slice_of(size_t channel) const {
    return params.scale.size() == 1 ? 0 : channel / static_cast<size_t>(channels_per_slice);
  }
  // Makes the slice's scale at least `least`: a power of two where the grid asks for that.
  void raise(size_t slice, float least);
};

// The grid of `spec` over the weights. `axis` is that of the output channels (PerChannel, PerGroup), that of the blocks
// (PerBlock) or -1. The last group or block may be smaller. Slices without weights get the scale 0, which `finish`
// replaces. Errors: those of lay_grid. Cost: a few passes over the weights; by observer and grid, k-means more.
WeightGrid grid_of_weights(const QuantSpec& spec, int64_t axis, const Tensor& weights);

// Gives slices without weights the largest scale of the others, and groups' scales to each of their channels.
void finish(WeightGrid& grid);

}  // namespace halftone
