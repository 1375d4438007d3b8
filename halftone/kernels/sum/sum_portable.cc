#include "halftone/kernels/sum/sum.h"

namespace halftone::kernels {

void sum_portable(const SumProblem& problem, const PairRows& rows, const uint8_t* a, const void* b, uint8_t* to) {
  const StoredGrid& grid = problem.to;
  const bool in_float = problem.mode == RequantizeMode::Float;
  const auto* codes = static_cast<const uint8_t*>(b);
  const auto* steps = static_cast<const float*>(b);
  const auto* fractions = static_cast<const int32_t*>(b);
  for (int64_t r = 0; r < rows.count; ++r) {
    for (int64_t c = 0; c < rows.columns; ++c) {
      const int32_t xa = a[r * rows.a_stride + c * problem.a_step] - problem.a_zero_point;
      const int64_t at = r * rows.b_stride + c * problem.b_step;
      const int32_t xb = problem.b_is_constant ? 0 : codes[at] - problem.b_zero_point;
      int32_t code;
      if (in_float) {
        const float left = static_cast<float>(xa) * problem.a_multiplier;
        const float right = problem.b_is_constant ? steps[at] : static_cast<float>(xb) * problem.b_multiplier;
        code = to_code(left + right, grid.zero_point, grid.low, grid.high);
      } else {
        const int64_t right = problem.b_is_constant ? fractions[at] : int64_t{xb} * problem.dyadic.multiplier_b;
        code = requantize_dyadic_sum(xa, right, problem.dyadic, grid.zero_point, grid.low, grid.high);
      }
      to[r * rows.to_stride + c] = static_cast<uint8_t>(code);
    }
  }
}

}  // namespace halftone::kernels
