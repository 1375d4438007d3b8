// What packing works out for each column of a product, whatever the layout of a kernel's blob. Plain C++, for the
// packers, which are ordinary translation units.
#pragma once

#include "halftone/kernels/gemm/gemm.h"

namespace halftone::kernels {

struct GemmColumn {
  int32_t bias = 0;  // with x_zero_point folded in: acc = bias + sum x * w (modulo 2^32 on the way)
  float multiplier = 0;
  Dyadic dyadic;  // the multiplier again
  // Bounds of acc over all left operands with bytes in 0 .. x_high (wide ones: with any codes), cut to int32's range,
  // which the caller's proof guarantees. With column_terms: all of int32's range but the lowest number.
  int32_t least = 0, most = 0;
  // No accumulator of this column gives more than 2^30 steps up or down in the problem's mode, so that codes fit int32
  // without a clamp. Dyadic: the shift is at least 33 moreover, as it is for multipliers below 1/4.
  bool steps_fit = false;
};

GemmColumn gemm_column(const GemmProblem& problem, int64_t column);

// The largest value that a sum of `count` products of bytes 0 .. x_high with these weights has, and the smallest.
struct GemmBounds {
  int64_t least = 0, most = 0;
};
GemmBounds gemm_bounds(const int8_t* weights, int64_t count, int32_t x_high);

}  // namespace halftone::kernels
