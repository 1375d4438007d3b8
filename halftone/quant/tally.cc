#include "halftone/quant/tally.h"

#include <algorithm>

namespace halftone {

int histogram_bins(const QuantSpec& spec) {
  return spec.granularity == Granularity::PerTensor ? Histogram::kBinsPerSide : Histogram::kBinsPerSide / 8;
}

Tally::Tally(const QuantSpec& spec) : bins_per_side_(histogram_bins(spec)) {}

void Tally::settle() {
  if (exact()) return;
  if (!histogram_) histogram_.emplace(bins_per_side_);
  if (!numbers_.empty()) histogram_->add(numbers_);
  numbers_ = std::vector<float>();  // {} would keep the memory
}

void Tally::add(std::span<const float> values, const Extent& extent) {
  extent_.merge(extent);
  if (exact()) {
    numbers_.insert(numbers_.end(), values.begin(), values.end());
    return;
  }
  settle();
  histogram_->add(values, extent);
}

void Tally::merge(const Tally& other) {
  extent_.merge(other.extent_);
  numbers_.insert(numbers_.end(), other.numbers_.begin(), other.numbers_.end());
  settle();
  if (other.histogram_) histogram_->merge(*other.histogram_);
}

Histogram Tally::histogram() const {
  if (histogram_) return *histogram_;
  Histogram histogram(bins_per_side_);
  histogram.add(numbers_);
  return histogram;
}

std::vector<Mass> Tally::masses() const {
  std::vector<Mass> masses;
  if (!histogram_) {
    std::vector<float> sorted = numbers_;
    std::sort(sorted.begin(), sorted.end());
    for (float x : sorted) {
      if (x == 0) continue;
      if (!masses.empty() && masses.back().low == x) {
        ++masses.back().count;
      } else {
        masses.push_back({x, x, 1});
      }
    }
    return masses;
  }
  const double width = histogram_->width();
  const double min = extent_.min, max = extent_.max;
  const auto add = [&](double low, double high, int64_t count) {
    // The outermost bins end where the numbers do.
    if (count > 0) masses.push_back({std::max(low, min), std::min(high, max), static_cast<double>(count)});
  };
  for (int k = -bins_per_side_ + 1; k < bins_per_side_; ++k) {
    // Bin k > 0 is [k w, (k + 1) w), bin k < 0 its mirror image, bin 0 both sides of zero.
    const int64_t zeros = k == 0 ? extent_.zeros : 0;
    add(width * (k > 0 ? k : k - 1), width * (k < 0 ? k : k + 1), histogram_->count(k) - zeros);
  }
  return masses;
}

}  // namespace halftone
