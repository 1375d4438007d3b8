#include "halftone/runtime/integer_rules/product.h"

#include "halftone/kernels/move/strided_copy.h"
#include "halftone/kernels/stored_grid.h"
#include "halftone/runtime/split.h"

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
    : channels_(matrix ? shape.back() : shape[1]), matrix_(matrix) {
  const IntegerOutput& output = lowering.integers().outputs[0];
  place_ = output.grid ? lowering.allocate_codes(shape, *output.grid, matrix ? Layout::Plain : Layout::ChannelsLast)
                       : lowering.allocate(DType::Float, shape, Layout::Plain);
}

void ProductResult::finish(Lowering& lowering) {
  const ValueId value = lowering.integers().outputs[0].value;
  if (const int activation = lowering.absorbed_activation(); activation >= 0) lowering.absorb(activation);
  const int64_t pixels = matrix_ ? 1 : channels_of(place_.shape).s;
  if (place_.grid || pixels == 1) return lowering.define(value, place_);
  // [n, s, c] of floats to [n, c, s].
  const Place plain = lowering.allocate(DType::Float, place_.shape, Layout::Plain);
  const int64_t images = place_.shape[0], c = channels_;
  const Split split = split_range(images * c, lowering.threads(), std::max<int64_t>(kEltwiseGrain / pixels, 1));
  Step step{describe(lowering.graph(), lowering.node()) + " to plain", split.parts(), nullptr};
  const kernels::StridedCopy image_copy{{c, pixels}, {1, c}, {pixels, 1}};
  step.bind = [from = place_.where, to = plain.where, image_copy, c, pixels, split](RunMemory& memory) -> Step::Work {
    const std::byte* source = memory.at(from);
    std::byte* target = memory.at(to);
    return [=](int part) {
      for (int64_t row = split.begin(part); row < split.end(part);) {
        const int64_t image = row / c, end = std::min(split.end(part), (image + 1) * c);
        const int64_t first = image * c * pixels * static_cast<int64_t>(sizeof(float));
        run_copy(image_copy, source + first, target + first, sizeof(float), row - image * c, end - image * c);
        row = end;
      }
    };
  };
  lowering.add_step(std::move(step), {place_.where, plain.where});
  lowering.define(value, plain);
}

}  // namespace halftone::runtime
