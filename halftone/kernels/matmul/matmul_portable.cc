#include "halftone/kernels/matmul/matmul.h"

namespace halftone::kernels {

void matmul_portable(const MatMulProblem& problem, const MatMulRun& run) {
  for (int64_t r = 0; r < run.rows; ++r) {
    const int32_t a_zero_point = run.a_zero_points[r * run.a_zero_point_step];
    std::byte* to = static_cast<std::byte*>(run.to) + r * run.to_stride;
    const float multiplier =
        run.row_scales != nullptr ? run.row_scales[r] * run.factor.multiplier : run.factor.multiplier;
    for (int64_t c = 0; c < problem.columns; ++c) {
      int32_t acc = 0;
      for (int64_t k = 0; k < problem.depth; ++k) {
        acc += (run.a[r * run.a_stride + k] - a_zero_point) * (run.b[k * run.b_stride + c] - run.b_zero_point);
      }
      if (problem.result == MatMulResult::Real) {
        reinterpret_cast<float*>(to)[c] = static_cast<float>(acc) * multiplier;
      } else {
        to[c] = static_cast<std::byte>(requantize(problem.mode, acc, run.factor, run.grid));
      }
    }
  }
}

}  // namespace halftone::kernels
