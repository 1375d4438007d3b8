#include "halftone/runtime/integer_rules/product.h"

#include "halftone/kernels/stored_grid.h"

namespace halftone::runtime {

kernels::GemmProblem gemm_problem(const IntegerNode& plan, const Int8Weights& weights) {
  const IntegerOutput& output = plan.outputs[0];
  kernels::GemmProblem problem;
  problem.mode = output.mode;
  problem.weights = weights.values.data();
  problem.bias = plan.bias.empty() ? nullptr : plan.bias.data();
  problem.multipliers = output.multipliers.data();
  problem.multiplier_per_column = output.multipliers.size() > 1;
  const kernels::StoredGrid x = kernels::stored_grid(*plan.inputs[0]);
  problem.x_zero_point = x.zero_point;
  problem.x_high = x.high;
  problem.result = output.grid ? kernels::GemmResult::Codes : kernels::GemmResult::Real;
  if (output.grid) {
    const int32_t offset = kernels::stored_offset(output.grid->dtype);
    problem.zero_point = output.grid->zero_point + offset;
    problem.low = output.low + offset;
    problem.high = output.high + offset;
  }
  return problem;
}

ProductResult::ProductResult(Lowering& lowering, const Shape& shape, bool matrix)
    : channels_(matrix ? shape.back() : shape[1]) {
  const IntegerOutput& output = lowering.integers().outputs[0];
  const Layout layout = matrix ? Layout::Plain : Layout::ChannelsLast;
  place_ = output.grid ? lowering.allocate_codes(shape, *output.grid, layout)
                       : lowering.allocate(DType::Float, shape, layout);
}

void ProductResult::finish(Lowering& lowering) {
  const ValueId value = lowering.integers().outputs[0].value;
  if (const int activation = lowering.absorbed_activation(); activation >= 0) lowering.absorb(activation);
  lowering.define(value, place_);
}

}  // namespace halftone::runtime
