#include "halftone/quant/histogram.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "halftone/base/error.h"

namespace halftone {
namespace {

// The most that a histogram has.
constexpr size_t kBins = size_t{2} * Histogram::kBinsPerSide;

// Below it, the reciprocal of the width would not be a normal float.
constexpr int kSmallestExponent = -126;

// Activations repeat: consecutive numbers often fall into one bin, and a counter that was just stored can't be loaded
// again for some cycles. Several sets of counters keep neighbours apart.
constexpr size_t kLanes = 4;
// Numbers whose bins are computed (vectorized) before they are counted.
constexpr size_t kTile = 1024;
// Below this it is cheaper to count right in the 64-bit counters than to clear and add up the lanes.
constexpr size_t kFew = 4096;
// 32-bit lanes can't overflow within this many.
constexpr size_t kMany = size_t{1} << 31;

void bins_of(const float* values, size_t n, float reciprocal_width, int32_t middle, int32_t* bins) {
  for (size_t i = 0; i < n; ++i) bins[i] = static_cast<int32_t>(values[i] * reciprocal_width) + middle;
}

void count_few(std::span<const float> values, float reciprocal_width, std::vector<int64_t>& counts) {
  const auto middle = static_cast<int32_t>(counts.size() / 2);
  std::array<int32_t, kTile> bins;
  for (size_t begin = 0; begin < values.size(); begin += kTile) {
    const size_t n = std::min(kTile, values.size() - begin);
    bins_of(values.data() + begin, n, reciprocal_width, middle, bins.data());
    for (size_t i = 0; i < n; ++i) ++counts[static_cast<size_t>(bins[i])];
  }
}

void count_many(std::span<const float> values, float reciprocal_width, std::vector<int64_t>& counts) {
  const auto middle = static_cast<int32_t>(counts.size() / 2);
  std::array<std::array<uint32_t, kBins>, kLanes> lanes{};
  std::array<int32_t, kTile> bins;
  for (size_t begin = 0; begin < values.size(); begin += kTile) {
    const size_t n = std::min(kTile, values.size() - begin);
    bins_of(values.data() + begin, n, reciprocal_width, middle, bins.data());
    size_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
      for (size_t lane = 0; lane < kLanes; ++lane) ++lanes[lane][static_cast<size_t>(bins[i + lane])];
    }
    for (; i < n; ++i) ++lanes[0][static_cast<size_t>(bins[i])];
  }
  for (size_t bin = 0; bin < counts.size(); ++bin) {
    for (const auto& lane : lanes) counts[bin] += lane[bin];
  }
}

}  // namespace

Histogram::Histogram(int bins_per_side)
    : bins_per_side_(bins_per_side), exponent_(kSmallestExponent), counts_(2 * static_cast<size_t>(bins_per_side), 0) {
  HT_CHECK(bins_per_side >= 1 && bins_per_side <= kBinsPerSide && std::has_single_bit(unsigned(bins_per_side)),
           "{} bins per side", bins_per_side);
}

double Histogram::width() const { return std::ldexp(1.0, exponent_); }

int Histogram::exponent_for(float magnitude) const {
  if (magnitude == 0) return kSmallestExponent;
  int exponent = 0;
  std::frexp(magnitude, &exponent);
  return std::max(exponent - std::countr_zero(unsigned(bins_per_side_)), kSmallestExponent);
}

void Histogram::widen(int exponent) {
  const int shift = exponent - exponent_;
  if (shift <= 0) return;
  exponent_ = exponent;
  std::vector<int64_t> wider(counts_.size(), 0);
  for (int k = -bins_per_side_ + 1; k < bins_per_side_; ++k) {
    // An arithmetic shift would round down; bins are symmetric about zero.
    const int magnitude = shift > 30 ? 0 : std::abs(k) >> shift;
    wider[static_cast<size_t>((k < 0 ? -magnitude : magnitude) + bins_per_side_)] += count(k);
  }
  counts_ = std::move(wider);
}

void Histogram::add(std::span<const float> values, const Extent& extent) {
  HT_CHECK(extent.not_finite == 0, "{} infinite numbers or NaN", extent.not_finite);
  extent_.merge(extent);
  widen(exponent_for(extent_.magnitude()));
  const float reciprocal_width = std::ldexp(1.0F, -exponent_);
  for (; !values.empty(); values = values.subspan(std::min(kMany, values.size()))) {
    const std::span<const float> part = values.first(std::min(kMany, values.size()));
    (part.size() < kFew ? count_few : count_many)(part, reciprocal_width, counts_);
  }
}

void Histogram::merge(const Histogram& other) {
  HT_CHECK(bins_per_side_ == other.bins_per_side_, "{} and {} bins per side", bins_per_side_, other.bins_per_side_);
  extent_.merge(other.extent_);
  widen(other.exponent_);
  Histogram aligned = other;
  aligned.widen(exponent_);
  for (size_t bin = 0; bin < counts_.size(); ++bin) counts_[bin] += aligned.counts_[bin];
}

float Histogram::quantile(double q) const {
  const int64_t nonzero = extent_.count - extent_.zeros;
  if (nonzero == 0) return 0;
  const double target = q * static_cast<double>(nonzero);
  double below = 0;
  for (int k = -bins_per_side_ + 1; k < bins_per_side_; ++k) {
    const auto here = static_cast<double>(count(k) - (k == 0 ? extent_.zeros : 0));
    if (here > 0 && below + here >= target) {
      // Bin k > 0 is [k w, (k + 1) w), bin k < 0 its mirror image, bin 0 both sides of zero.
      const double low = width() * (k > 0 ? k : k - 1), high = width() * (k < 0 ? k : k + 1);
      const double first = std::max(low, double{extent_.min}), last = std::min(high, double{extent_.max});
      return static_cast<float>(first + (last - first) * std::max(0.0, target - below) / here);
    }
    below += here;
  }
  return extent_.max;
}

}  // namespace halftone
