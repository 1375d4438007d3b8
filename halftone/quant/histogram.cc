#include "halftone/quant/histogram.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "halftone/base/error.h"

namespace halftone {
namespace {

constexpr int kLog2BinsPerSide = 11;
static_assert(Histogram::kBinsPerSide == 1 << kLog2BinsPerSide);
constexpr size_t kBins = size_t{2} * Histogram::kBinsPerSide;

// Below it, the reciprocal of the width would not be a normal float.
constexpr int kSmallestExponent = -126;

// The smallest exponent e with magnitude < kBinsPerSide * 2^e.
int exponent_for(float magnitude) {
  if (magnitude == 0) return kSmallestExponent;
  int exponent = 0;
  std::frexp(magnitude, &exponent);
  return std::max(exponent - kLog2BinsPerSide, kSmallestExponent);
}

// Activations repeat: consecutive numbers often fall into one bin, and a counter that was just stored can't be loaded
// again for some cycles. Several sets of counters keep neighbours apart.
constexpr size_t kLanes = 4;
// Numbers whose bins are computed (vectorized) before they are counted.
constexpr size_t kTile = 1024;
// Below this it is cheaper to count right in the 64-bit counters than to clear and add up the lanes.
constexpr size_t kFew = 4096;
// 32-bit lanes can't overflow within this many.
constexpr size_t kMany = size_t{1} << 31;

void bins_of(const float* values, size_t n, float reciprocal_width, int32_t* bins) {
  for (size_t i = 0; i < n; ++i) {
    bins[i] = static_cast<int32_t>(values[i] * reciprocal_width) + Histogram::kBinsPerSide;
  }
}

void count_few(std::span<const float> values, float reciprocal_width, std::vector<int64_t>& counts) {
  std::array<int32_t, kTile> bins;
  for (size_t begin = 0; begin < values.size(); begin += kTile) {
    const size_t n = std::min(kTile, values.size() - begin);
    bins_of(values.data() + begin, n, reciprocal_width, bins.data());
    for (size_t i = 0; i < n; ++i) ++counts[static_cast<size_t>(bins[i])];
  }
}

void count_many(std::span<const float> values, float reciprocal_width, std::vector<int64_t>& counts) {
  std::array<std::array<uint32_t, kBins>, kLanes> lanes{};
  std::array<int32_t, kTile> bins;
  for (size_t begin = 0; begin < values.size(); begin += kTile) {
    const size_t n = std::min(kTile, values.size() - begin);
    bins_of(values.data() + begin, n, reciprocal_width, bins.data());
    size_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
      for (size_t lane = 0; lane < kLanes; ++lane) ++lanes[lane][static_cast<size_t>(bins[i + lane])];
    }
    for (; i < n; ++i) ++lanes[0][static_cast<size_t>(bins[i])];
  }
  for (size_t bin = 0; bin < kBins; ++bin) {
    for (const auto& lane : lanes) counts[bin] += lane[bin];
  }
}

}  // namespace

Histogram::Histogram() : exponent_(kSmallestExponent), counts_(kBins, 0) {}

double Histogram::width() const { return std::ldexp(1.0, exponent_); }

void Histogram::widen(int exponent) {
  const int shift = exponent - exponent_;
  if (shift <= 0) return;
  exponent_ = exponent;
  std::vector<int64_t> wider(kBins, 0);
  for (int k = -kBinsPerSide + 1; k < kBinsPerSide; ++k) {
    // An arithmetic shift would round down; bins are symmetric about zero.
    const int magnitude = shift > kLog2BinsPerSide ? 0 : std::abs(k) >> shift;
    wider[static_cast<size_t>((k < 0 ? -magnitude : magnitude) + kBinsPerSide)] += count(k);
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
  extent_.merge(other.extent_);
  widen(other.exponent_);
  Histogram aligned = other;
  aligned.widen(exponent_);
  for (size_t bin = 0; bin < kBins; ++bin) counts_[bin] += aligned.counts_[bin];
}

float Histogram::quantile(double q) const {
  const int64_t nonzero = extent_.count - extent_.zeros;
  if (nonzero == 0) return 0;
  const double target = q * static_cast<double>(nonzero);
  double below = 0;
  for (int k = -kBinsPerSide + 1; k < kBinsPerSide; ++k) {
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
