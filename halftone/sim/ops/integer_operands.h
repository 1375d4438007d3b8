// Operands of the integer operators (ConvInteger, QLinearConv ...): codes of 8 bits with zero points.
#pragma once

#include <vector>

#include "halftone/quant/requantize.h"
#include "halftone/sim/interpreter.h"

namespace halftone::sim::ops {

// How the numbers of a zero point or scale lie over an operand.
enum class Spread {
  Scalar,      // one number only
  PerChannel,  // or one per index of the first dimension (convolution weights)
  PerRow,      // or one per row of each matrix: [M], or [..., M, 1]
  PerColumn,   // or one per column of each matrix: [N], or [..., 1, N]
};

// For each element of a tensor of `shape`, the position of its number in input i. Errors: Error{InvalidModel} when the
// input's shape does not fit.
std::vector<int64_t> parameter_positions(const OpCall& call, size_t i, const Shape& shape, Spread spread);

// Input i minus its zero points (input z, all 0 when left out), as int32. Errors: Error{InvalidModel} unless both are
// int8 or both uint8.
std::vector<int32_t> centered(const OpCall& call, size_t i, size_t z, Spread spread);

// Input i: scales, as floats. Errors: Error{InvalidModel} unless all are positive and finite.
std::vector<float> scales_of(const OpCall& call, size_t i);

// The grid of an output with one scale (input `scale`) and one zero point (input `zero_point`), uint8 or int8.
Grid output_grid(const OpCall& call, size_t scale, size_t zero_point);

// x_scale * w_scale / y_scale as requantization multiplies with it. Errors: Error{NumericRange} when it overflows.
float multiplier_of(const OpCall& call, float x_scale, float w_scale, float y_scale);

}  // namespace halftone::sim::ops
