#include "halftone/ptq/blocks/learned_grid.h"

#include <algorithm>

namespace halftone::ptq {
namespace {

// Added and taken away again, it leaves the nearest whole number (ties to even) of anything below 2^22.
constexpr float kWhole = 12582912.0F;

// Steps from zero.
struct Steps {
  float low, high, inverse;
  explicit Steps(const LearnedGrid& grid)
      : low(static_cast<float>(grid.low - grid.zero_point)),
        high(static_cast<float>(grid.high - grid.zero_point)),
        inverse(1 / grid.scale) {}
  float nearest(float x) const { return std::min(std::max(x * inverse, low), high) + kWhole - kWhole; }
};

bool is_dropped(DropMask mask, size_t i) { return (mask[i / 64] >> (i % 64) & 1) != 0; }

}  // namespace

LearnedGrid LearnedGrid::of(const QuantParams& params) {
  return {params.scale.at(0), params.zero_point.at(0), static_cast<int32_t>(params.q_min),
          static_cast<int32_t>(params.q_max)};
}

void round_to(const LearnedGrid& grid, std::span<const float> x, DropMask dropped, std::span<float> y) {
  const Steps steps(grid);
  for (size_t i = 0; i < x.size(); ++i) y[i] = grid.scale * steps.nearest(x[i]);
  if (dropped.empty()) return;
  for (size_t i = 0; i < x.size(); ++i) y[i] = is_dropped(dropped, i) ? x[i] : y[i];
}

double slope_through(const LearnedGrid& grid, std::span<const float> x, DropMask dropped, std::span<float> slope) {
  const Steps steps(grid);
  constexpr size_t kRun = 256;  // numbers that are summed in float32
  double sum = 0;
  for (size_t first = 0; first < x.size(); first += kRun) {
    float run = 0;
    for (size_t i = first; i < std::min(first + kRun, x.size()); ++i) {
      if (!dropped.empty() && is_dropped(dropped, i)) continue;
      const float at = x[i] * steps.inverse;
      const bool inside = at >= steps.low && at <= steps.high;
      run += slope[i] * (steps.nearest(x[i]) - (inside ? at : 0.0F));
      slope[i] = inside ? slope[i] : 0.0F;
    }
    sum += double{run};
  }
  return sum;
}

}  // namespace halftone::ptq
