#include "halftone/kernels/row_mean/row_mean.h"

namespace halftone::kernels {

#define HALFTONE_ROW_MEAN_KERNEL(name, isa, refuse) RowMeanFunction name;
#include "halftone/kernels/row_mean/kernels.def"
#undef HALFTONE_ROW_MEAN_KERNEL

namespace {

const char* none(int64_t) { return ""; }

}  // namespace

std::span<const RowMeanKernel> row_mean_kernels() {
  static constexpr RowMeanKernel kernels[] = {
#define HALFTONE_ROW_MEAN_KERNEL(name, isa, refuse) {#name, Isa::isa, refuse, name},
#include "halftone/kernels/row_mean/kernels.def"
#undef HALFTONE_ROW_MEAN_KERNEL
  };
  return kernels;
}

Choice<RowMeanKernel> choose_row_mean(int64_t columns) { return choose<RowMeanKernel>(row_mean_kernels(), columns); }

void row_mean(const MeanProblem& problem, const Factor& factor, const RowMeanKernel& kernel, const Rows& rows,
              const uint8_t* from, uint8_t* to) {
  for (int64_t r = 0; r < rows.count; ++r) {
    const int64_t sum = kernel.run(from + r * rows.from_stride, rows.columns) - rows.columns * problem.zero_point;
    to[r * rows.to_stride] =
        static_cast<uint8_t>(requantize(problem.mode, static_cast<int32_t>(sum), factor, problem.to));
  }
}

}  // namespace halftone::kernels
