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

// The sum of the `columns` bytes at `row`.
using RowMeanFunction = int64_t(const uint8_t* row, int64_t columns);

struct RowMeanKernel {
  std::string_view name;
  Isa isa;
  const char* (*refuse)(int64_t columns);
  RowMeanFunction* run;
};
// kernels.def, most preferred first; the last accepts everything.
std::span<const RowMeanKernel> row_mean_kernels();
Choice<RowMeanKernel> choose_row_mean(int64_t columns);

void row_mean(const MeanProblem& problem, const Factor& factor, const RowMeanKernel& kernel, const Rows& rows,
              const uint8_t* from, uint8_t* to);

// The portable kernel.
int64_t row_sum_portable(const uint8_t* row, int64_t columns);

}  // namespace halftone::kernels
