// What an observer remembers that weighs one error against another: the numbers themselves while they are few, their
// histogram afterwards.
#pragma once

#include <vector>

#include "halftone/quant/histogram.h"
#include "halftone/quant/quant_params.h"

namespace halftone {

// Numbers spread evenly from `low` to `high`, or all at one place where the two are equal.
struct Mass {
  double low, high;
  double count;
};

// The state depends on the set of numbers alone, like the histogram's. Memory: at most that of a histogram.
class Tally {
 public:
  // Up to this many numbers are kept as they are: all of a small layer's weights, or of a channel's.
  static constexpr size_t kExact = 2048;

  // For the range of `spec`: values with a range per channel get coarser histograms, of which there are many.
  explicit Tally(const QuantSpec& spec);

  // All numbers are finite, and `extent` is theirs.
  void add(std::span<const float> values, const Extent& extent);
  // `other` serves the same spec.
  void merge(const Tally& other);

  const Extent& extent() const { return extent_; }
  // In ascending order, without overlap and without the zeros, whose number the extent has.
  std::vector<Mass> masses() const;
  Histogram histogram() const;

 private:
  bool exact() const { return extent_.count <= static_cast<int64_t>(kExact); }
  // Moves the numbers to the histogram once they are too many.
  void settle();

  int bins_per_side_;
  Extent extent_;
  std::vector<float> numbers_;  // while exact
  std::optional<Histogram> histogram_;
};

// Bins per side of histograms for a spec.
int histogram_bins(const QuantSpec& spec);

}  // namespace halftone
