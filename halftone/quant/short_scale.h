// Scales of few significant bits, with which float32 computes what a quantized network means without rounding.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace halftone {

// The odd integer k of scale = k * 2^e, for positive normal scales; 1 where the scale is a power of two.
inline int64_t odd_part(float scale) {
  int exponent = 0;
  const auto mantissa = static_cast<uint64_t>(std::ldexp(std::frexp(scale, &exponent), 24));
  return static_cast<int64_t>(mantissa >> std::countr_zero(mantissa));
}

// Of at most 12 bits, half of float32's: k times a code of 8 bits is exact, and so are sums of a few of them. A scale
// that nobody shortened has so few once in 4096 times.
inline bool is_short_scale(float scale) { return odd_part(scale) < (1 << 12); }

}  // namespace halftone
