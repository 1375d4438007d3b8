#include "halftone/runtime/integer_rules/product.h"

#include "halftone/kernels/wide_grid.h"
#include "halftone/runtime/integer_rules/code_steps.h"
#include "halftone/runtime/wide_codes.h"

namespace halftone::runtime {
namespace {

kernels::GemmProblem weighted(const IntegerNode& plan, const Int8Weights& weights) {
  const std::vector<float>& multipliers = plan.outputs[0].multipliers;
  kernels::GemmProblem problem;
  problem.weights = weights.values.data();
  problem.multipliers = multipliers.data();
  problem.multiplier_per_column = multipliers.size() > 1;
  return problem;
}

}  // namespace

kernels::GemmProblem gemm_problem(const IntegerNode& plan, const Int8Weights& weights) {
  const IntegerOutput& output = plan.outputs[0];
  kernels::GemmProblem problem = weighted(plan, weights);
  problem.mode = output.mode;
  problem.bias = plan.bias.empty() ? nullptr : plan.bias.data();
  problem.wide = works_on_wide(plan);
  const Grid& grid = *plan.inputs[0];
  const kernels::StoredGrid x = is_wide(grid) ? kernels::wide_grid(grid) : kernels::stored_grid(grid);
  problem.x_zero_point = x.zero_point;
  problem.x_high = x.high;
  problem.result = !output.grid            ? kernels::GemmResult::Real
                   : is_wide(*output.grid) ? kernels::GemmResult::WideCodes
                                           : kernels::GemmResult::Codes;
  if (output.grid) {
    const kernels::StoredGrid y = stored_bounds(output);
    problem.zero_point = y.zero_point;
    problem.low = y.low;
    problem.high = y.high;
  }
  return problem;
}

kernels::GemmProblem dynamic_gemm_problem(const IntegerNode& plan, const Int8Weights& weights,
                                          const std::vector<int32_t>& negative_sums) {
  kernels::GemmProblem problem = weighted(plan, weights);
  problem.result = kernels::GemmResult::Real;
  problem.column_terms = negative_sums.data();
  return problem;
}

Place product_codes(Lowering& lowering, Layout layout) {
  const ValueId id = lowering.node().inputs[0];
  const Place codes = lowering.codes(id, layout);
  const bool widen = works_on_wide(lowering.integers()) && !is_wide(*codes.grid);
  return widen ? widened(lowering, lowering.graph().value(id).name, codes) : codes;
}

ProductResult::ProductResult(Lowering& lowering, const Shape& shape, bool matrix)
    : channels_(matrix ? shape.back() : shape[1]) {
  const IntegerOutput& output = lowering.integers().outputs[0];
  const Layout layout = matrix ? Layout::Plain : Layout::ChannelsLast;
  place_ = output.grid ? lowering.allocate_codes(shape, *output.grid, layout)
                       : lowering.allocate(DType::Float, shape, layout);
}

void ProductResult::finish(Lowering& lowering) { define_result(lowering, place_); }

}  // namespace halftone::runtime
