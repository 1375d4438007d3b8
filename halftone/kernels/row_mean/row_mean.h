// Means of codes along rows: ReduceMean over the last axes, or over everything (IntegerForm::Mean).
//
//   acc = sum over c of (from[r * from_stride + c] - zero_point)
//   to[r * to_stride] = requantize(acc, factor)                                        r < count, c < columns
//
// The factor divides by the number of elements. Overflow: columns * 255 < 2^31.
#pragma once

#include "halftone/kernels/kernel.h"
#include "halftone/kernels/mean_pool/mean_pool.h"
#include "halftone/kernels/rows.h"

namespace halftone::kernels {

struct RowMeanKernel {
  std::string_view name;
  Isa isa;
  std::string (*refuse)(const MeanProblem&);
  void (*run)(const MeanProblem& problem, const Factor& factor, const Rows& rows, const uint8_t* from, uint8_t* to);
};
Choice<RowMeanKernel> choose_row_mean(const MeanProblem& problem);

// The definition, and the portable kernel.
void row_mean_reference(const MeanProblem& problem, const Factor& factor, const Rows& rows, const uint8_t* from,
                        uint8_t* to);

}  // namespace halftone::kernels
