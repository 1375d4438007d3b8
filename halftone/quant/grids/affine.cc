#include "halftone/quant/grids/affine.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

namespace halftone {
namespace {

double centre_of(const QuantSpec& spec) { return spec.is_signed ? 0 : std::ldexp(1.0, spec.bits - 1); }

}  // namespace

AffineGrid affine_grid(const QuantSpec& spec, Range range, const QuantParams& codes) {
  const auto q_min = static_cast<double>(codes.q_min), q_max = static_cast<double>(codes.q_max);
  const double low = std::min(double{range.low}, 0.0), high = std::max(double{range.high}, 0.0);
  const double width = spec.symmetric ? std::max(-low, high) : high - low;
  const double steps = spec.symmetric ? q_max - centre_of(spec) : q_max - q_min;
  // A subnormal scale loses precision, and kernels that flush subnormals would see zero.
  const auto scale = width == 0 ? 1.0F : static_cast<float>(std::max(width / steps, double{FLT_MIN}));
  return {scale, affine_zero_point(spec, range, codes, scale)};
}

int32_t affine_zero_point(const QuantSpec& spec, Range range, const QuantParams& codes, float scale) {
  if (spec.symmetric) return static_cast<int32_t>(centre_of(spec));
  const auto q_min = static_cast<double>(codes.q_min), q_max = static_cast<double>(codes.q_max);
  const double low = std::min(double{range.low}, 0.0);
  return static_cast<int32_t>(std::clamp(std::nearbyint(q_min - low / double{scale}), q_min, q_max));
}

void append_affine(const QuantSpec& spec, const Slice& slice, QuantParams& params) {
  const AffineGrid grid = affine_grid(spec, slice.range, params);
  params.scale.push_back(grid.scale);
  params.zero_point.push_back(grid.zero_point);
}

}  // namespace halftone
