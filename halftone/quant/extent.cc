#include "halftone/quant/extent.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

namespace halftone {
namespace {

// Orders floats as integers: k(a) < k(b) exactly when a < b, with -0 below +0 and NaN beyond the infinities. Integer
// minima vectorize; those of floats don't, because of NaN.
int32_t key_of(float x) {
  const auto bits = std::bit_cast<int32_t>(x);
  return bits ^ ((bits >> 31) & 0x7fffffff);
}

// The inverse; a zero comes back without its sign.
float float_of(int32_t key) { return std::bit_cast<float>(key ^ ((key >> 31) & 0x7fffffff)) + 0.0F; }

// For the rare case that something is infinite or NaN.
Extent measure_carefully(std::span<const float> values) {
  Extent extent;
  for (float x : values) {
    if (!std::isfinite(x)) {
      ++extent.not_finite;
      continue;
    }
    ++extent.count;
    extent.zeros += x == 0;
    extent.min = std::min(extent.min, x + 0.0F);
    extent.max = std::max(extent.max, x + 0.0F);
  }
  return extent;
}

}  // namespace

void Extent::merge(const Extent& other) {
  count += other.count;
  zeros += other.zeros;
  min = std::min(min, other.min);
  max = std::max(max, other.max);
  not_finite += other.not_finite;
}

float Extent::magnitude() const { return count == 0 ? 0 : std::max(-min, max); }

Extent measure(std::span<const float> values) {
  // Counting in 32 bits keeps the loop narrow.
  constexpr size_t kChunk = size_t{1} << 30;
  Extent extent;
  for (; !values.empty(); values = values.subspan(std::min(kChunk, values.size()))) {
    const size_t n = std::min(kChunk, values.size());
    int32_t low = std::numeric_limits<int32_t>::max(), high = std::numeric_limits<int32_t>::min(), zeros = 0;
    for (size_t i = 0; i < n; ++i) {
      const int32_t key = key_of(values[i]);
      low = key < low ? key : low;
      high = key > high ? key : high;
      zeros += static_cast<int32_t>(values[i] == 0);
    }
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    if (low <= key_of(-kInfinity) || high >= key_of(kInfinity)) {
      extent.merge(measure_carefully(values.first(n)));
    } else {
      extent.merge({static_cast<int64_t>(n), zeros, float_of(low), float_of(high), 0});
    }
  }
  return extent;
}

}  // namespace halftone
