#include <algorithm>
#include <cfloat>
#include <cmath>

#include "halftone/quant/grids/affine.h"

namespace halftone {

namespace {

double squared_error(std::span<const float> values, float scale, int32_t zero_point, const QuantParams& codes) {
  double sum = 0;
  for (float x : values) {
    const double error =
        double{x} - dequantize(quantize(x, scale, zero_point, codes.q_min, codes.q_max), scale, zero_point);
    sum += error * error;
  }
  return sum;
}

}  // namespace

// The affine scale rounded up to a power of two, which covers the range. Numbers that are known may do better on the
// next lower power: it clips the outermost and rounds the others with half the error.
void append_power_of_two_scale(const QuantSpec& spec, const Slice& slice, QuantParams& params) {
  const AffineGrid affine = affine_grid(spec, slice.range, params);
  int exponent = 0;
  const float mantissa = std::frexp(affine.scale, &exponent);  // [0.5, 1)
  // 2^127 is the largest power of two; a range that needs it reaches the end of float32 anyway.
  const float covering = mantissa == 0.5F ? affine.scale : std::ldexp(1.0F, std::min(exponent, 127));
  AffineGrid grid = {covering, affine_zero_point(spec, slice.range, params, covering)};
  if (!slice.values.empty() && covering > FLT_MIN) {
    const float lower = covering / 2;
    const int32_t zero_point = affine_zero_point(spec, slice.range, params, lower);
    const bool better = squared_error(slice.values, lower, zero_point, params) <
                        squared_error(slice.values, covering, grid.zero_point, params);
    if (better) grid = {lower, zero_point};
  }
  params.scale.push_back(grid.scale);
  params.zero_point.push_back(grid.zero_point);
}

}  // namespace halftone
