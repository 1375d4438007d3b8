// Products of two tensors of codes, or of codes and constants: gates, squeeze-and-excitation (IntegerForm::Product).
//
//   codes:      acc = (a - a_zero_point) * (b - b_zero_point), to = requantize(acc, factor)
//   constants:  acc = a - a_zero_point, to = requantize(acc, b), where `b` holds float32 multipliers (Float) or
//               Dyadic (Dyadic), of any sign
//
// |acc| <= 255 * 255. Element (r, c) of the operands: a[r * a_stride + c * a_step], b[r * b_stride + c * b_step],
// to[r * to_stride + c]. Strides and steps are in elements; 0 repeats, so that [n, 1, 1, c] beside [n, h, w, c] is
// b_stride 0 image by image. Products commute: where only one operand repeats, make it `b`. `to` may equal `a` or `b`
// element for element, and threads may then take rows each: nothing behind the last row is read. Otherwise it overlaps
// neither.
#pragma once

#include "halftone/kernels/kernel.h"
#include "halftone/kernels/rows.h"
#include "halftone/kernels/stored_grid.h"

namespace halftone::kernels {

struct ProductProblem {
  RequantizeMode mode = RequantizeMode::Float;
  bool b_is_constant = false;
  int32_t a_zero_point = 0, b_zero_point = 0;
  Factor factor;
  StoredGrid to;
  int64_t a_step = 1, b_step = 1;
};

// `b`: uint8_t codes, float or Dyadic constants.
using ProductFunction = void(const ProductProblem& problem, const PairRows& rows, const uint8_t* a, const void* b,
                             uint8_t* to);

struct ProductKernel {
  std::string_view name;
  Isa isa;
  const char* (*refuse)(const ProductProblem&);
  ProductFunction* run;
};
// kernels.def, most preferred first; the last accepts everything.
std::span<const ProductKernel> product_kernels();
Choice<ProductKernel> choose_product(const ProductProblem& problem);

// The definition, and the portable kernel.
void product_portable(const ProductProblem& problem, const PairRows& rows, const uint8_t* a, const void* b,
                      uint8_t* to);

}  // namespace halftone::kernels
