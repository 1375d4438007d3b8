// Rounding to an affine grid in training, fused: one pass forward, one pass backward, whatever is learned.
#pragma once

#include "halftone/train/torch.h"

namespace halftone::train {

// Codes [low, high] of the grid, and the axis of its scales; -1: one scale.
struct CodeGrid {
  double low = -127, high = 127;
  int64_t axis = -1;
};

// What the gradients of scale and zero point are made of.
struct GridGradient {
  // LSQ's gradient scale, 1 / sqrt(elements * high): these gradients sum over all elements of their slice.
  double factor = 1;
  // Whether elements inside the range have a say about the scale (LSQ), or only those outside (PACT).
  bool inside = true;
};

// y = s * (clamp(round_half_even(x / s) + z, low, high) - z) with z = clamp(round_half_even(zero_point), low, high),
// per tensor or per slice of the axis. `scale` and `zero_point` hold one number or one per slice.
//
// Gradients (q = x / s + z before rounding):
//   dy/dx = 1 where low <= q <= high, else 0                                     (straight-through)
//   dy/ds = round(x / s) - x / s (or 0) inside, low - z or high - z outside      (LSQ, equation 3)
//   dy/dz = 0 inside, -s outside                                                 (LSQ+, equation 4, for the offset -s
//   z)
// the latter two times gradient.factor.
//
// x is float32 of any layout; y is contiguous. Scales must be positive. Cost: one pass over x each way, on libtorch's
// threads. Determinism: bit for bit, whatever the number of threads. NaN stays NaN.
// Source: Esser et al. 2020 (LSQ); Bhalgat et al. 2020 (LSQ+); Jacob et al. 2018 for z.
at::Tensor fake_quantize(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& zero_point,
                         const CodeGrid& grid, const GridGradient& gradient = {});

}  // namespace halftone::train
