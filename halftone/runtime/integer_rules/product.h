// What the rules for sums of products share: constants of the kernels, and where results go.
#pragma once

#include <string>

#include "halftone/kernels/gemm/gemm.h"
#include "halftone/runtime/codes.h"
#include "halftone/runtime/integer_rules/int8_weights.h"
#include "halftone/runtime/lowering.h"

namespace halftone::runtime {

// Multiply-accumulate operations that are worth a thread's attention: some microseconds.
inline constexpr double kProductGrain = 3e5;

inline int product_parts(const Lowering& lowering, double operations) {
  return static_cast<int>(std::clamp(operations / kProductGrain, 1.0, static_cast<double>(lowering.threads())));
}

// Fills in what does not depend on shapes: weights, bias, multipliers, mode, grids. Columns, depth, taps and rows are
// the caller's.
kernels::GemmProblem gemm_problem(const IntegerNode& plan, const Int8Weights& weights);

// The same for activations on grids that are found in every run: each row brings its zero point and scale, results are
// real. `negative_sums` are those of the weights.
kernels::GemmProblem dynamic_gemm_problem(const IntegerNode& plan, const Int8Weights& weights,
                                          const std::vector<int32_t>& negative_sums);

// The node's activations as its product takes them: stored codes, as int16 where it works on wide ones.
Place product_codes(Lowering& lowering, Layout layout);

// Where a kernel that writes channels last puts a node's result, codes or real numbers.
class ProductResult {
 public:
  // `shape` is the result's. With `matrix`, the last axis holds the channels, else the second.
  ProductResult(Lowering& lowering, const Shape& shape, bool matrix);

  const Operand& where() const { return place_.where; }
  int64_t element_bytes() const { return place_.grid ? code_bytes(*place_.grid) : 4; }
  int64_t pixel_stride() const { return channels_ * element_bytes(); }
  // Defines the result; the absorbed activation is absorbed. To be called after the step that computes it was added.
  void finish(Lowering& lowering);

 private:
  Place place_;
  int64_t channels_;
};

}  // namespace halftone::runtime
