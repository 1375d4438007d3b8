#include "halftone/quant/grids/points.h"

#include <algorithm>

namespace halftone {

Points points_of(std::span<const float> values) {
  Points points;
  std::vector<float> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const auto distinct =
      static_cast<size_t>(std::unique_copy(sorted.begin(), sorted.end(), sorted.begin()) - sorted.begin());
  points.exact = distinct <= Points::kMost;
  if (points.exact) {
    points.x.assign(sorted.begin(), sorted.begin() + static_cast<ptrdiff_t>(distinct));
    points.weight.assign(distinct, 0.0);
    for (float v : values) {
      const auto at = std::lower_bound(points.x.begin(), points.x.end(), double{v});
      ++points.weight[static_cast<size_t>(at - points.x.begin())];
    }
    return points;
  }
  const double low = sorted[0], width = (double{sorted[distinct - 1]} - low) / Points::kMost;
  std::vector<double> sum(Points::kMost, 0.0), count(Points::kMost, 0.0);
  for (float v : values) {
    const size_t bin = std::min(Points::kMost - 1, static_cast<size_t>((double{v} - low) / width));
    sum[bin] += v;
    ++count[bin];
  }
  for (size_t bin = 0; bin < Points::kMost; ++bin) {
    if (count[bin] == 0) continue;
    points.x.push_back(sum[bin] / count[bin]);
    points.weight.push_back(count[bin]);
  }
  return points;
}

}  // namespace halftone
