#include "halftone/quant/grids/level_lists.h"

#include <algorithm>
#include <cmath>

#include "halftone/quant/grids/points.h"
#include "halftone/quant/levels.h"

namespace halftone {
namespace {

std::vector<float> mirrored(std::span<const float> magnitudes) {
  std::vector<float> levels;
  for (size_t i = magnitudes.size(); i-- > 0;) levels.push_back(-magnitudes[i]);
  levels.push_back(0.0F);
  levels.insert(levels.end(), magnitudes.begin(), magnitudes.end());
  return levels;
}

double squared_error(const Points& points, const Levels& levels) {
  double sum = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    const double error = points.x[i] - double{levels.number(levels.nearest(static_cast<float>(points.x[i])))};
    sum += points.weight[i] * error * error;
  }
  return sum;
}

}  // namespace

void append_shared_levels(std::span<const float> magnitudes, float scale, QuantParams& params) {
  if (params.levels.empty()) {
    params.levels = mirrored(magnitudes);
    params.q_max = static_cast<int64_t>(params.levels.size()) - 1;
  }
  params.scale.push_back(scale);
  params.zero_point.push_back(0);
}

float scale_of_levels(std::span<const float> magnitudes, const Slice& slice) {
  constexpr int kSteps = 32;
  const float least = std::ldexp(1.0F, -100);
  const float largest = std::max({-slice.range.low, slice.range.high, 0.0F});
  if (largest == 0) return 1.0F;
  if (largest < least) return least;
  if (slice.values.empty()) return largest;
  const Points points = points_of(slice.values);
  const std::vector<float> levels = mirrored(magnitudes);
  float best = largest;
  double best_error = squared_error(points, {largest, levels});
  for (int step = 1; step <= kSteps; ++step) {
    const auto scale = std::max(least, static_cast<float>(double{largest} * std::exp2(-step / 16.0)));
    const double error = squared_error(points, {scale, levels});
    if (error < best_error) {
      best = scale;
      best_error = error;
    }
  }
  return best;
}

}  // namespace halftone
