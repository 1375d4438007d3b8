// Stored codes to floats.
//
//   to[r * to_stride + c] = scale * (from[r * from_stride + c] - zero_point)        one float32 product
//
// No alignment beyond that of float; `from` and `to` don't overlap. Layouts other than rows: kernels/convert.
#pragma once

#include "halftone/kernels/kernel.h"
#include "halftone/kernels/rows.h"

namespace halftone::kernels {

struct DequantizeProblem {
  float scale = 1;
  int32_t zero_point = 0;
};

using DequantizeFunction = void(const DequantizeProblem& problem, const Rows& rows, const uint8_t* from, float* to);

struct DequantizeKernel {
  std::string_view name;
  Isa isa;
  const char* (*refuse)(const DequantizeProblem&);
  DequantizeFunction* run;
};
// kernels.def, most preferred first; the last accepts everything.
std::span<const DequantizeKernel> dequantize_kernels();
Choice<DequantizeKernel> choose_dequantize(const DequantizeProblem& problem);

// The definition, and the portable kernel.
void dequantize_portable(const DequantizeProblem& problem, const Rows& rows, const uint8_t* from, float* to);

}  // namespace halftone::kernels
