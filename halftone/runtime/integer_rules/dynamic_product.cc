// Matrix products with constant weights whose activations get their grids in every run.
#include <algorithm>

#include "halftone/kernels/conv/conv.h"
#include "halftone/runtime/integer_rules/dynamic_codes.h"
#include "halftone/runtime/integer_rules/product.h"
#include "halftone/runtime/split.h"

namespace halftone::runtime {

std::string lower_integer_dynamic_product(Lowering& lowering) {
  const IntegerNode& plan = lowering.integers();
  const Node& node = lowering.node();
  if (plan.form != IntegerForm::DynamicProduct) return "no product on grids found at run time";
  if (!plan.weights.defined() || node.is("Conv")) return "a convolution, or no constant weights";
  const std::optional<Shape> x = lowering.float_shape(node.inputs[0]), y = lowering.float_shape(node.outputs[0]);
  if (!x || !y || x->empty()) return "a shape is unknown";
  if (node.int_or("transA", 0) != 0) return "its activations are transposed";
  const bool transposed = node.int_or("transB", 0) != 0;
  const Shape& w = plan.weights.shape();
  const int64_t columns = w[transposed ? 0 : 1], depth = w[transposed ? 1 : 0];
  if (element_count(*x) == 0 || columns == 0) return "nothing to compute";
  const Int8Weights weights = int8_weights(
      plan, transposed ? WeightOrder{columns, 1, depth, depth, 1, 1} : WeightOrder{columns, 1, depth, 1, 1, columns});
  if (weights.sets > kMostWeightSets) return "weights of more than 8 bits";

  const DynamicCodes codes = add_dynamic_codes(lowering, lowering.plain(node.inputs[0]), depth, *plan.dynamic);
  const Place result = lowering.allocate(DType::Float, *y, Layout::Plain);
  const std::vector<int32_t> terms = negative_sums(weights.values, columns);
  kernels::ConvProblem problem;
  problem.shape.in_channels = problem.shape.in_pixel_stride = depth;
  problem.shape.out_channels = columns;
  problem.shape.weight_sets = weights.sets;
  problem.shape.out_pixel_stride = columns * static_cast<int64_t>(sizeof(float));
  problem.product.result = kernels::GemmResult::Real;
  problem.product.weights = weights.values.data();
  problem.product.multipliers = plan.outputs[0].multipliers.data();
  problem.product.multiplier_per_column = plan.outputs[0].multipliers.size() > 1;
  problem.product.column_terms = terms.data();
  const kernels::Choice<kernels::GemmKernel> choice = choose_conv(problem, codes.rows);
  lowering.note_choice(choice);
  const Operand packed = lowering.constant_blob(
      std::string(choice.kernel->name), [&] { return conv_packed_bytes(*choice.kernel, problem); },
      [&](std::byte* blob) { pack_conv(*choice.kernel, problem, blob); });
  const kernels::Conv conv(*choice.kernel, packed.constant.get());
  const auto parts = std::min<int64_t>(product_parts(lowering, conv.operations(codes.rows)), codes.rows);
  const Split split{codes.rows, 1, parts};
  const size_t scratch_bytes = (conv.scratch_bytes() + 63) / 64 * 64;
  const Operand scratch{lowering.add_buffer(scratch_bytes * static_cast<size_t>(parts)), nullptr, 0};
  Step step{describe(lowering.graph(), node), split.parts(), nullptr};
  step.bind = [conv, packed, codes, to = result.where, scratch, scratch_bytes, split, columns,
               bias = plan.real_bias](RunMemory& memory) -> Step::Work {
    const auto* source = reinterpret_cast<const uint8_t*>(memory.at(codes.codes));
    const kernels::ConvRowConstants rows{reinterpret_cast<const int32_t*>(memory.at(codes.zero_points)),
                                         reinterpret_cast<const float*>(memory.at(codes.scales))};
    auto* target = reinterpret_cast<float*>(memory.at(to));
    std::byte* own = memory.at(scratch);
    return [=](int part) {
      kernels::ConvPart share = conv.whole(codes.rows);
      share.first_pixel = split.begin(part);
      share.last_pixel = split.end(part);
      conv.run(source, target, share, own + static_cast<size_t>(part) * scratch_bytes, rows);
      if (bias.empty()) return;
      for (int64_t row = share.first_pixel; row < share.last_pixel; ++row) {
        for (int64_t c = 0; c < columns; ++c) target[row * columns + c] += bias[static_cast<size_t>(c)];
      }
    };
  };
  lowering.add_step(std::move(step), {codes.codes, codes.zero_points, codes.scales, result.where, scratch});
  lowering.define(node.outputs[0], result);
  return "";
}

}  // namespace halftone::runtime
