// Grids whose range is found while the network runs, docs/quantization.md section 8.
#pragma once

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "halftone/quant/requantize.h"

namespace halftone {

// The uint8 grid over [low, high], which is first extended to contain 0, in float32 as ONNX's DynamicQuantizeLinear:
//   scale = (high - low) / 255          at least FLT_MIN; 1 where both are 0
//   zero_point = clamp(round_half_even(-low / scale), 0, 255)
// Both bounds must be finite; where high - low overflows, so does the scale: see is_finite. A number x becomes
// clamp(round_half_even(x / scale) + zero_point, 0, 255), NaN becomes zero_point: `quantize` of quant_params.h.
inline Grid dynamic_grid(float low, float high) {
  low = std::min(low, 0.0F);
  high = std::max(high, 0.0F);
  const float width = high - low;
  const float scale = width == 0 ? 1.0F : std::max(width / 255.0F, FLT_MIN);
  if (!std::isfinite(scale)) return {DType::UInt8, scale, 0, 0, 255};  // no grid, see is_finite
  return {DType::UInt8, scale, to_code(-low / scale, 0, 0, 255), 0, 255};
}

// False for the grid of operands that can't be quantized: they hold infinities, or numbers too far apart.
inline bool is_finite(const Grid& grid) { return std::isfinite(grid.scale); }

}  // namespace halftone
