#include "halftone/kernels/gemm/gemm_columns.h"

#include <algorithm>
#include <limits>

namespace halftone::kernels {
namespace {

// Both ends of acc's range decide, as steps grow with acc.
bool float_steps_fit(const GemmColumn& column) {
  const float low = static_cast<float>(column.least) * column.multiplier;
  const float high = static_cast<float>(column.most) * column.multiplier;
  return low >= -0x1p30F && high <= 0x1p30F;
}

// With such shifts products of 62 bits leave 30.
bool dyadic_steps_fit(Dyadic m) { return m.multiplier == 0 || m.shift >= 33; }

}  // namespace

GemmBounds gemm_bounds(const int8_t* weights, int64_t count, int32_t x_high) {
  GemmBounds bounds;
  for (int64_t i = 0; i < count; ++i) (weights[i] < 0 ? bounds.least : bounds.most) += weights[i];
  return {bounds.least * x_high, bounds.most * x_high};
}

GemmColumn gemm_column(const GemmProblem& problem, int64_t column) {
  const int64_t count = problem.taps * problem.depth;
  const int8_t* weights = problem.weights + column * count;
  // In int64 nothing wraps: the weights of a column that passed the proof number less than 2^31.
  const GemmBounds unit = gemm_bounds(weights, count, 1);
  const int64_t bias =
      (problem.bias != nullptr ? problem.bias[column] : 0) - problem.x_zero_point * (unit.least + unit.most);
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  GemmColumn result;
  result.bias = static_cast<int32_t>(static_cast<uint32_t>(bias));
  result.multiplier = problem.multipliers[problem.multiplier_per_column ? column : 0];
  result.dyadic = make_dyadic(result.multiplier);
  const bool open = problem.column_terms != nullptr;
  const int64_t x_low = problem.wide ? INT16_MIN : 0, x_high = problem.wide ? INT16_MAX : problem.x_high;
  const int64_t least = bias + unit.least * x_high + unit.most * x_low;
  const int64_t most = bias + unit.most * x_high + unit.least * x_low;
  result.least = static_cast<int32_t>(open ? -kMost : std::max(-kMost, least));
  result.most = static_cast<int32_t>(open ? kMost : std::min(kMost, most));
  const bool is_float = problem.mode == RequantizeMode::Float;
  result.steps_fit = is_float ? float_steps_fit(result) : dyadic_steps_fit(result.dyadic);
  return result;
}

}  // namespace halftone::kernels
