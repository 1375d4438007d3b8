#include "halftone/ptq/bits/allocation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "halftone/base/error.h"

namespace halftone::ptq {

std::vector<int> allocate_bits(std::span<const double> widths, const BitBudget& budget) {
  HT_CHECK(budget.least >= 0 && budget.least <= budget.most, "bounds of {} and {} bits", budget.least, budget.most);
  std::vector<size_t> live;
  for (size_t i = 0; i < widths.size(); ++i) {
    HT_CHECK(widths[i] >= 0 && std::isfinite(widths[i]), "a width of {}", widths[i]);
    if (widths[i] > 0) live.push_back(i);
  }
  std::vector<int> bits(widths.size(), 0);
  if (live.empty()) return bits;

  const double low = budget.least, high = budget.most;
  const double goal = std::clamp(std::round(budget.mean * static_cast<double>(widths.size())),
                                 low * static_cast<double>(live.size()), high * static_cast<double>(live.size()));
  std::vector<double> wish(live.size());
  for (size_t k = 0; k < live.size(); ++k) wish[k] = 2.0 / 3 * std::log2(widths[live[k]]);
  const auto held = [&](size_t k, double t) { return std::clamp(wish[k] + t, low, high); };
  const auto [first, last] = std::minmax_element(wish.begin(), wish.end());
  double below = low - *last, above = high - *first;
  for (int halving = 0; halving < 100; ++halving) {
    const double t = (below + above) / 2;
    double sum = 0;
    for (size_t k = 0; k < live.size(); ++k) sum += held(k, t);
    (sum < goal ? below : above) = t;
  }

  std::vector<double> left(live.size());
  auto spare = static_cast<int64_t>(goal);
  for (size_t k = 0; k < live.size(); ++k) {
    const double bound = held(k, above);
    const double whole = std::floor(bound);
    bits[live[k]] = static_cast<int>(whole);
    left[k] = bound - whole;
    spare -= bits[live[k]];
  }
  std::vector<size_t> order(live.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return left[a] > left[b]; });
  for (size_t k : order) {
    if (spare <= 0) break;
    if (bits[live[k]] >= budget.most) continue;
    ++bits[live[k]];
    --spare;
  }
  return bits;
}

}  // namespace halftone::ptq
