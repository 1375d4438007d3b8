// Evenly spaced grids over a range.
#pragma once

#include "halftone/quant/grid.h"

namespace halftone {

struct AffineGrid {
  float scale;
  int32_t zero_point;
};

// scale = width / steps, at least 2^-126 and 1 for a range of zero width; computed in double, so that neither the width
// of the range nor the quotient overflows.
AffineGrid affine_grid(const QuantSpec& spec, Range range, const QuantParams& codes);
// The zero point that goes with a scale somebody else chose.
int32_t affine_zero_point(const QuantSpec& spec, Range range, const QuantParams& codes, float scale);

}  // namespace halftone
