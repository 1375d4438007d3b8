// Floats to stored codes.
//
//   to[r * to_stride + c] = quantize(from[r * from_stride + c], scale, zero_point, low, high)     (quant_params.h)
//                         = clamp(round_half_even(from / scale) + zero_point, low, high), NaN gives zero_point
//
// The division is float32, rounded once. Any float is allowed. `scale` is positive and normal. No alignment beyond that
// of float; `from` and `to` don't overlap. Layouts other than rows: kernels/convert.
#pragma once

#include "halftone/kernels/kernel.h"
#include "halftone/kernels/rows.h"
#include "halftone/kernels/stored_grid.h"

namespace halftone::kernels {

struct QuantizeProblem {
  float scale = 1;
  StoredGrid grid;
};

using QuantizeFunction = void(const QuantizeProblem& problem, const Rows& rows, const float* from, uint8_t* to);

struct QuantizeKernel {
  std::string_view name;
  Isa isa;
  const char* (*refuse)(const QuantizeProblem&);
  QuantizeFunction* run;
};
// kernels.def, most preferred first; the last accepts everything.
std::span<const QuantizeKernel> quantize_kernels();
Choice<QuantizeKernel> choose_quantize(const QuantizeProblem& problem);

// The definition, and the portable kernel.
void quantize_portable(const QuantizeProblem& problem, const Rows& rows, const float* from, uint8_t* to);

}  // namespace halftone::kernels
