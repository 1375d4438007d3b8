// Means of codes over pixels: AveragePool (IntegerForm::WindowMean), GlobalAveragePool and ReduceMean over spatial axes
// (IntegerForm::Mean, whose box is the whole image).
//
//   acc = sum over the box of (from[j * from_step + offset + c] - zero_point)
//   to[j * to_step + c] = requantize(acc, factor)                                        j < pixels, c < channels
//
// The factor divides by the number of elements. Overflow: taps * 255 < 2^31. An empty box gives requantize(0).
// Threads may cut the output pixels, and the channels by moving `from` and `to`.
#pragma once

#include <vector>

#include "halftone/kernels/kernel.h"
#include "halftone/kernels/stored_grid.h"
#include "halftone/kernels/window.h"

namespace halftone::kernels {

struct MeanProblem {
  RequantizeMode mode = RequantizeMode::Float;
  int32_t zero_point = 0;
  StoredGrid to;
};

using MeanPoolFunction = void(const MeanProblem& problem, const Factor& factor, const BoxRow& row, const uint8_t* from,
                              uint8_t* to);

struct MeanPoolKernel {
  std::string_view name;
  Isa isa;
  const char* (*refuse)(const MeanProblem&);
  MeanPoolFunction* run;
};
// kernels.def, most preferred first; the last accepts everything.
std::span<const MeanPoolKernel> mean_pool_kernels();
Choice<MeanPoolKernel> choose_mean_pool(const MeanProblem& problem);

// AveragePool: factors[n] divides by n elements, n <= window.taps(); factors[0] is not used (windows in the padding
// alone sum to 0, whatever divides them). `include_pad`: the divisor counts the padding.
struct MeanPool {
  Window window;
  MeanProblem problem;
  bool include_pad = false;
  std::vector<Factor> factors;
  const MeanPoolKernel* kernel = nullptr;

  // Output pixels [begin, end) of one image.
  void run(const uint8_t* from, uint8_t* to, int64_t begin, int64_t end) const;
};

// The definition, and the portable kernel.
void mean_pool_portable(const MeanProblem& problem, const Factor& factor, const BoxRow& row, const uint8_t* from,
                        uint8_t* to);

}  // namespace halftone::kernels
