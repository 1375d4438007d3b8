#include "halftone/kernels/product/product.h"

namespace halftone::kernels {

void product_portable(const ProductProblem& problem, const PairRows& rows, const uint8_t* a, const void* b,
                      uint8_t* to) {
  const auto* codes = static_cast<const uint8_t*>(b);
  const auto* multipliers = static_cast<const float*>(b);
  const auto* fractions = static_cast<const Dyadic*>(b);
  for (int64_t r = 0; r < rows.count; ++r) {
    for (int64_t c = 0; c < rows.columns; ++c) {
      int32_t acc = a[r * rows.a_stride + c * problem.a_step] - problem.a_zero_point;
      const int64_t at = r * rows.b_stride + c * problem.b_step;
      Factor factor = problem.factor;
      if (!problem.b_is_constant) {
        acc *= codes[at] - problem.b_zero_point;
      } else if (problem.mode == RequantizeMode::Float) {
        factor.multiplier = multipliers[at];
      } else {
        factor.dyadic = fractions[at];
      }
      to[r * rows.to_stride + c] = static_cast<uint8_t>(requantize(problem.mode, acc, factor, problem.to));
    }
  }
}

}  // namespace halftone::kernels
