// Bit patterns of the small floating-point types.
#pragma once

#include <cstdint>

#include "halftone/tensor/dtype.h"

namespace halftone {

// Round to nearest even; beyond the largest finite number gives infinity. NaN stays NaN.
uint16_t float_to_half(float x);
float half_to_float(uint16_t bits);
uint16_t float_to_bfloat16(float x);
float bfloat16_to_float(uint16_t bits);

// The 8- and 4-bit floats of ONNX (opset 19 and later) to float. `dtype` is one of Float8E4M3FN, Float8E4M3FNUZ,
// Float8E5M2, Float8E5M2FNUZ, Float8E8M0, Float4E2M1. Source: the OCP 8-bit floating point specification and ONNX's
// technical notes on float8.
float small_float_to_float(uint8_t bits, DType dtype);

// The nearest representable value, ties to even mantissa, saturating at the largest finite one (ONNX Cast's
// saturate=1); NaN stays NaN where the type has one. Same types as above.
uint8_t float_to_small_float(float x, DType dtype);

}  // namespace halftone
