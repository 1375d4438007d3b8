#include "halftone/report/bins.h"

#include <algorithm>
#include <cmath>

namespace halftone::report {

Bins bins_of(const Histogram& histogram, int count) {
  Bins bins;
  bins.counts.assign(static_cast<size_t>(count), 0);
  if (histogram.extent().count == 0) return bins;
  bins.low = histogram.extent().min;
  bins.high = histogram.extent().max;
  const double width = (bins.high - bins.low) / count;
  std::vector<double> shares(static_cast<size_t>(count));
  const auto bin_at = [&](double x) {
    const double bin = width > 0 ? std::floor((x - bins.low) / width) : 0;
    return static_cast<size_t>(std::clamp(bin, 0.0, count - 1.0));
  };
  for (int k = 1 - Histogram::kBinsPerSide; k < Histogram::kBinsPerSide; ++k) {
    const auto numbers = static_cast<double>(histogram.count(k));
    if (numbers == 0) continue;
    // Bin 0 lies on both sides of zero.
    const double from = std::max(bins.low, (k > 0 ? k : k - 1) * histogram.width());
    const double to = std::min(bins.high, (k >= 0 ? k + 1 : k) * histogram.width());
    const size_t first = bin_at(from), last = bin_at(to);
    if (first == last || !(to > from)) {
      shares[first] += numbers;
      continue;
    }
    for (size_t b = first; b <= last; ++b) {
      const double left = std::max(from, bins.low + static_cast<double>(b) * width);
      const double right = std::min(to, bins.low + static_cast<double>(b + 1) * width);
      shares[b] += numbers * std::max(0.0, right - left) / (to - from);
    }
  }
  for (size_t b = 0; b < shares.size(); ++b) bins.counts[b] = std::llround(shares[b]);
  return bins;
}

}  // namespace halftone::report
