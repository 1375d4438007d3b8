// What packing works out for each output channel, whatever the layout of a kernel's blob. A channel's sum is that of a
// column of a product whose row is the window, so that the constants are gemm's.
#pragma once

#include "halftone/kernels/depthwise/depthwise.h"
#include "halftone/kernels/gemm/gemm_columns.h"

namespace halftone::kernels {

inline GemmProblem as_product(const DepthwiseProblem& problem) {
  GemmProblem product;
  product.columns = problem.outputs();
  product.depth = problem.kernel_h * problem.kernel_w;
  product.mode = problem.mode;
  product.weights = problem.weights;
  product.bias = problem.bias;
  product.multipliers = problem.multipliers;
  product.multiplier_per_column = problem.multiplier_per_channel;
  product.x_zero_point = problem.x_zero_point;
  return product;
}

}  // namespace halftone::kernels
