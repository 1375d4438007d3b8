// The ways of casting to 8-bit floats that differ from tensor/'s convert, which rounds to nearest even and saturates.
#pragma once

#include <string>

#include "halftone/tensor/tensor.h"

namespace halftone::sim::ops {

// `x` as Float8E4M3FN, Float8E4M3FNUZ, Float8E5M2 or Float8E5M2FNUZ, where numbers that round past the largest finite
// one become infinity or, in types without it, NaN. Source: ONNX's Cast operator, table for saturate=0.
Tensor cast_unsaturated(const Tensor& x, DType dtype);

// `x` as Float8E8M0, whose numbers are the powers of two from 2^-127 to 2^127: "up" rounds away from zero, "down"
// toward it, "nearest" to the nearer one, ties up. Outside that range (0 included) the nearest number with `saturate`,
// otherwise NaN; the sign is lost. Source: ONNX's Cast operator, attribute round_mode.
Tensor cast_to_e8m0(const Tensor& x, const std::string& round_mode, bool saturate);

}  // namespace halftone::sim::ops
