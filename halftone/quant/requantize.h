// The step from integer sums to the codes of an output grid, the one place where it is defined. Every executor calls
// these functions or reproduces them bit for bit (docs/quantization.md).
#pragma once

#include <cmath>
#include <cstdint>

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

}  // namespace halftone
