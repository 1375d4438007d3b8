// The step from integer sums to the codes of an output grid, the one place where it is defined. Every executor calls
// these functions or reproduces them bit for bit (docs/quantization.md).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

#include "halftone/tensor/dtype.h"

namespace halftone {

// A grid of activations, one for the whole tensor: real = scale * (q - zero_point), q in [low, high]. The codes have at
// most 16 bits.
struct Grid {
  DType dtype = DType::UInt8;  // storage type of the codes
  float scale = 1;
  int32_t zero_point = 0;
  int32_t low = 0;
  int32_t high = 255;

  bool operator==(const Grid&) const = default;
  // The largest |q - zero_point| that codes of this grid have.
  int64_t reach() const {
    const int64_t above = int64_t{high} - zero_point, below = int64_t{zero_point} - low;
    return above > below ? above : below;
  }
};

// How integer sums become codes. Float: one float32 product. Dyadic: an int32 product and a shift, no floating point.
enum class RequantizeMode { Float, Dyadic };

// round_half_even(clamp(steps, low - zero_point, high - zero_point)) + zero_point, where `steps` counts steps of the
// output grid from real 0. The bounds are integers that float32 holds exactly, so clamping first gives what clamping
// last would, and the conversion never leaves int32. `steps` must not be NaN; it may be infinite.
inline int32_t to_code(float steps, int32_t zero_point, int32_t low, int32_t high) {
  const auto least = static_cast<float>(low - zero_point), most = static_cast<float>(high - zero_point);
  steps = steps < least ? least : steps;
  steps = steps > most ? most : steps;
  // rint and nearbyint differ only in the inexact flag; rint is one instruction.
  return static_cast<int32_t>(std::rint(steps)) + zero_point;
}

// Requantization in float mode: to_code(float(acc) * multiplier), the conversion of the sum and the product each
// rounded to float32.
inline int32_t requantize(int32_t acc, float multiplier, int32_t zero_point, int32_t low, int32_t high) {
  return to_code(static_cast<float>(acc) * multiplier, zero_point, low, high);
}

// float32(a * b / c) of three float32 numbers: the product exact in double, one rounding of the quotient to double and
// one to float32. How all multipliers are made.
inline float make_multiplier(double a, double b, double c) { return static_cast<float>(a * b / c); }

// A float32 multiplier as an integer fraction, multiplier * 2^-shift.
struct Dyadic {
  int32_t multiplier = 0;  // 0, or 2^30 <= |multiplier| < 2^31
  int32_t shift = 1;       // 1 .. 62
  bool operator==(const Dyadic&) const = default;
};

// The finite number `multiplier`, exactly, as far as int32 sums can tell: beyond 2^30 every sum but 0 saturates every
// grid, which the shift 1 keeps so; below 2^-32 every sum gives less than half a step, which is 0.
inline Dyadic make_dyadic(float multiplier) {
  int exponent = 0;
  const float mantissa = std::frexp(multiplier, &exponent);  // 0, or 0.5 <= |mantissa| < 1
  const int shift = 31 - exponent;
  if (mantissa == 0 || shift > 62) return {};
  return {static_cast<int32_t>(mantissa * 0x1p31F), std::max(shift, 1)};
}

// floor(acc * M / 2^shift + 1/2): rounded once, halves upwards. Fits 64 bits whatever acc is.
inline int64_t dyadic_steps(int32_t acc, Dyadic m) {
  return (int64_t{acc} * m.multiplier + (int64_t{1} << (m.shift - 1))) >> m.shift;
}

// clamp(steps, low - zero_point, high - zero_point) + zero_point, without leaving 64 bits on the way.
inline int32_t clamp_steps(int64_t steps, int32_t zero_point, int32_t low, int32_t high) {
  const int64_t least = int64_t{low} - zero_point, most = int64_t{high} - zero_point;
  return static_cast<int32_t>(std::min(std::max(steps, least), most)) + zero_point;
}

// Requantization in dyadic mode.
inline int32_t requantize_dyadic(int32_t acc, Dyadic multiplier, int32_t zero_point, int32_t low, int32_t high) {
  return clamp_steps(dyadic_steps(acc, multiplier), zero_point, low, high);
}

// The sum of two operands in dyadic mode, rounded once over a common shift:
//   steps = floor((a * multiplier_a + b * multiplier_b) / 2^shift + 1/2)
// a and b are q - zero_point of the operands. Where both reach at most 255 (8-bit codes), everything fits int32.
struct DyadicSum {
  int32_t multiplier_a = 0, multiplier_b = 0;
  int32_t shift = 1;  // 1 .. 30
  bool operator==(const DyadicSum&) const = default;
};

// The finest common shift: multiplier_i = round_half_even(m_i * 2^shift), with the largest shift <= 30 for which
//   reach_a * multiplier_a + reach_b * multiplier_b + 2^(shift-1) < 2^31     where both reaches are at most 255
//   multiplier_a, multiplier_b < 2^31                                        otherwise (the sum needs 64 bits)
// `m_a` and `m_b` are not negative. nullopt: no shift will do.
inline std::optional<DyadicSum> make_dyadic_sum(double m_a, int64_t reach_a, double m_b, int64_t reach_b) {
  const bool narrow = reach_a <= 255 && reach_b <= 255;
  for (int shift = 30; shift >= 1; --shift) {
    const double a = std::nearbyint(std::ldexp(m_a, shift)), b = std::nearbyint(std::ldexp(m_b, shift));
    const double largest = static_cast<double>(reach_a) * a + static_cast<double>(reach_b) * b + std::ldexp(0.5, shift);
    if ((narrow ? largest : std::max(a, b)) < 0x1p31) {
      return DyadicSum{static_cast<int32_t>(a), static_cast<int32_t>(b), shift};
    }
  }
  return std::nullopt;
}

// `a * multiplier_a + constant`, in steps times 2^shift, to a code; `constant` is b * multiplier_b, or a real number of
// steps that was rounded to a multiple of 2^-shift beforehand.
inline int32_t requantize_dyadic_sum(int32_t a, int64_t constant, const DyadicSum& sum, int32_t zero_point, int32_t low,
                                     int32_t high) {
  const int64_t exact = int64_t{a} * sum.multiplier_a + constant;
  return clamp_steps((exact + (int64_t{1} << (sum.shift - 1))) >> sum.shift, zero_point, low, high);
}
// The sum of two operands in codes.
inline int32_t requantize_dyadic_sum(int32_t a, int32_t b, const DyadicSum& sum, int32_t zero_point, int32_t low,
                                     int32_t high) {
  return requantize_dyadic_sum(a, int64_t{b} * sum.multiplier_b, sum, zero_point, low, high);
}

}  // namespace halftone
