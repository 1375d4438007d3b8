#include "halftone/kernels/gemm/gemm.h"

#include <cstring>

namespace halftone::kernels {

namespace {

// Code d of a row.
int32_t code_at(const GemmProblem& problem, const uint8_t* row, int64_t d) {
  if (!problem.wide) return row[d];
  int16_t code = 0;
  std::memcpy(&code, row + 2 * d, sizeof(code));
  return code;
}

}  // namespace

void gemm_reference(const GemmProblem& problem, const GemmRun& run) {
  for (int64_t row = 0; row < run.row_count; ++row) {
    std::byte* to = static_cast<std::byte*>(run.to) + row * run.to_stride;
    for (int64_t column = 0; column < problem.columns; ++column) {
      int64_t sum = problem.bias != nullptr ? problem.bias[column] : 0;
      for (int64_t tap = 0; tap < problem.taps; ++tap) {
        const uint8_t* x = run.rows[row * problem.taps + tap];
        const int8_t* weights = problem.weights + (column * problem.taps + tap) * problem.depth;
        for (int64_t d = 0; d < problem.depth; ++d) {
          sum += int64_t{code_at(problem, x, d) - problem.x_zero_point} * weights[d];
        }
      }
      if (problem.column_terms != nullptr) sum += int64_t{run.row_terms[row]} * problem.column_terms[column];
      const auto acc = static_cast<int32_t>(sum);
      float multiplier = problem.multipliers[problem.multiplier_per_column ? column : 0];
      if (problem.result == GemmResult::Real) {
        if (run.row_scales != nullptr) multiplier = run.row_scales[row] * multiplier;
        reinterpret_cast<float*>(to)[column] = static_cast<float>(acc) * multiplier;
      } else {
        const int32_t code =
            problem.mode == RequantizeMode::Float
                ? requantize(acc, multiplier, problem.zero_point, problem.low, problem.high)
                : requantize_dyadic(acc, make_dyadic(multiplier), problem.zero_point, problem.low, problem.high);
        if (problem.result == GemmResult::WideCodes) {
          reinterpret_cast<int16_t*>(to)[column] = static_cast<int16_t>(code);
        } else {
          to[column] = static_cast<std::byte>(code);
        }
      }
    }
  }
}

}  // namespace halftone::kernels
