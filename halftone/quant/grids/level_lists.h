// What grids with levels have in common.
#pragma once

#include <span>
#include <vector>

#include "halftone/quant/grid.h"

namespace halftone {

// Adds a slice of the given scale to a grid whose levels are the same for all: 0 and +-magnitudes, which ascend and end
// with 1.
void append_shared_levels(std::span<const float> magnitudes, float scale, QuantParams& params);

// The scale on which the slice has the least squared error: the range's largest magnitude, or up to a quarter of it in
// steps of 2^(-1/16). Where nobody has the values it is the largest magnitude. At least 2^-100, so that the smallest
// number is a normal one; 1 for a range of zero width.
float scale_of_levels(std::span<const float> magnitudes, const Slice& slice);

}  // namespace halftone
