// A histogram of numbers that arrive in any order and whose range nobody knows beforehand.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "halftone/quant/extent.h"

namespace halftone {

// Bin k counts the numbers x with trunc(x / w) = k, |k| < bins_per_side, where the width w is the smallest power of two
// (not below 2^-126) that takes all of them. When a larger number arrives, w doubles until it fits and neighbouring
// bins are added: trunc(trunc(x / w) / 2) = trunc(x / 2w), and division by a power of two is exact, so that the state
// depends on nothing but the set of numbers: neither on their order nor on how they were spread over histograms that
// were merged. Bin 0 is twice as wide as the others, (-w, w); min, max and the number of zeros are exact.
//
// Memory: 8 bytes per bin, whatever the count. Cost: two passes, about 1 ns per number.
class Histogram {
 public:
  static constexpr int kBinsPerSide = 2048;

  // `bins_per_side` is a power of two up to kBinsPerSide; fewer save memory where there are many histograms.
  explicit Histogram(int bins_per_side = kBinsPerSide);

  // Errors: InternalError for infinite numbers and NaN, which the caller refuses first (see measure).
  void add(std::span<const float> values) { add(values, measure(values)); }
  // The same for a caller who has measured the values already.
  void add(std::span<const float> values, const Extent& extent);

  // As if everything that `other`, which has as many bins, saw had been added here.
  void merge(const Histogram& other);

  const Extent& extent() const { return extent_; }
  // The bins' width w.
  double width() const;
  int bins_per_side() const { return bins_per_side_; }
  // How many numbers lie in bin k.
  int64_t count(int k) const { return counts_[static_cast<size_t>(k + bins_per_side_)]; }

  // The number below which the fraction q of all nonzero numbers lies, linearly interpolated within its bin and held to
  // [min, max]. Zeros are left out because every grid has them exactly: however many a rectifier makes, they say
  // nothing about the range. Precondition: 0 <= q <= 1. Gives 0 while there are no nonzero numbers.
  float quantile(double q) const;

  bool operator==(const Histogram&) const = default;

 private:
  // Adds neighbours until the width is at least 2^exponent.
  void widen(int exponent);

  // The smallest exponent e with magnitude < bins_per_side * 2^e.
  int exponent_for(float magnitude) const;

  int bins_per_side_;
  int exponent_;
  Extent extent_;
  std::vector<int64_t> counts_;  // of bin k at k + bins_per_side; element 0 is always 0
};

}  // namespace halftone
