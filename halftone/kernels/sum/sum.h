// Sums of two tensors of codes, or of codes and constants: residual connections (IntegerForm::Sum).
//
//   xa = a - a_zero_point, xb = b - b_zero_point
//   Float:   steps = fl(fl(xa * a_multiplier) + fl(xb * b_multiplier))
//            to = to_code(steps)                                            (requantize.h)
//   Dyadic:  to = requantize_dyadic_sum(xa, xb, dyadic)
// With constants, `b` holds the second summand itself: float32 steps (Float), or int32 steps * 2^dyadic.shift (Dyadic;
// dyadic.multiplier_b is not used).
//
// Element (r, c) of the operands: a[r * a_stride + c * a_step], b[r * b_stride + c * b_step], to[r * to_stride + c].
// Strides and steps are in elements; 0 repeats. Sums commute: where only one operand repeats, make it `b`.
// Overflow: in Dyadic mode |xa| * multiplier_a + |b's summand| + 2^(shift-1) < 2^31, as make_dyadic_sum sees to.
// `to` may equal `a` or `b` element for element, and threads may then take rows each: nothing behind the last row is
// read. Otherwise it overlaps neither.
#pragma once

#include "halftone/kernels/kernel.h"
#include "halftone/kernels/rows.h"
#include "halftone/kernels/stored_grid.h"

namespace halftone::kernels {

struct SumProblem {
  RequantizeMode mode = RequantizeMode::Float;
  bool b_is_constant = false;
  int32_t a_zero_point = 0, b_zero_point = 0;
  float a_multiplier = 1, b_multiplier = 1;
  DyadicSum dyadic;
  StoredGrid to;
  int64_t a_step = 1, b_step = 1;
};

// `b`: uint8_t codes, float or int32_t constants.
using SumFunction = void(const SumProblem& problem, const PairRows& rows, const uint8_t* a, const void* b, uint8_t* to);

struct SumKernel {
  std::string_view name;
  Isa isa;
  const char* (*refuse)(const SumProblem&);
  SumFunction* run;
};
// kernels.def, most preferred first; the last accepts everything.
std::span<const SumKernel> sum_kernels();
Choice<SumKernel> choose_sum(const SumProblem& problem);

// The definition, and the portable kernel.
void sum_portable(const SumProblem& problem, const PairRows& rows, const uint8_t* a, const void* b, uint8_t* to);

}  // namespace halftone::kernels
