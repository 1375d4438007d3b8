#include "halftone/kernels/depthwise/depthwise.h"

#include "halftone/runtime/integer_rules/code_steps.h"
#include "halftone/runtime/integer_rules/product.h"
#include "halftone/runtime/integer_rules/product_operands.h"
#include "halftone/runtime/split.h"

namespace halftone::runtime {

std::string lower_integer_depthwise(Lowering& lowering) {
  const IntegerNode& plan = lowering.integers();
  if (plan.form != IntegerForm::Convolution) return "no convolution";
  if (!all_narrow(plan)) return "codes of more than 8 bits";
  ConvShape g;
  if (std::string reason = read_shape(lowering, g); !reason.empty()) return reason;
  if (plan.weights.shape()[1] != 1 || g.groups != g.ic) return "filters see more than one channel";
  if (g.pad_top < 0 || g.pad_left < 0) return "padding is negative";
  const Int8Weights weights = conv_weights(plan, g);
  if (weights.sets > 1) return "weights leave int8";

  const kernels::GemmProblem product = gemm_problem(plan, weights);
  kernels::DepthwiseProblem problem;
  problem.channels = g.ic;
  problem.multiplier = g.oc / g.ic;
  problem.kernel_h = g.kh;
  problem.kernel_w = g.kw;
  problem.stride_h = g.stride_h;
  problem.stride_w = g.stride_w;
  problem.dilation_h = g.dilation_h;
  problem.dilation_w = g.dilation_w;
  problem.mode = product.mode;
  problem.result = plan.outputs[0].grid ? kernels::DepthwiseResult::Codes : kernels::DepthwiseResult::Real;
  problem.weights = product.weights;
  problem.bias = product.bias;
  problem.multipliers = product.multipliers;
  problem.multiplier_per_channel = product.multiplier_per_column;
  problem.x_zero_point = product.x_zero_point;
  problem.zero_point = product.zero_point;
  problem.low = product.low;
  problem.high = product.high;
  const kernels::Choice<kernels::DepthwiseKernel> choice = choose_depthwise(problem);
  lowering.note_choice(choice);
  const kernels::DepthwiseKernel& kernel = *choice.kernel;
  const Operand packed = lowering.constant_blob(
      std::string(kernel.name), [&] { return kernel.packed_bytes(problem); },
      [&](std::byte* blob) { kernel.pack(problem, blob); });

  const Node& node = lowering.node();
  const Place from = lowering.codes(node.inputs[0], Layout::ChannelsLast);
  ProductResult result(lowering, *lowering.type(node.outputs[0]).fixed_shape(), /*matrix=*/false);
  const std::byte* blob = packed.constant.get();
  kernels::DepthwiseRun run;
  run.in_h = g.ih;
  run.in_w = g.iw;
  run.out_h = g.oh;
  run.out_w = g.ow;
  run.pad_top = g.pad_top;
  run.pad_left = g.pad_left;
  run.from_stride = from.pixel_stride;
  run.to_stride = result.pixel_stride();
  run.last_block = kernel.blocks(blob);
  const int64_t rows = g.n * g.oh, blocks = run.last_block;
  const int parts = product_parts(lowering, g.macs() * 4);
  // Rows are cut where there are enough of them to be even, else channels.
  const Split by_rows{rows, kernel.row_step(blob), parts}, by_blocks{blocks, 1, parts};
  const bool cut_rows = rows >= 4 * parts * by_rows.unit || rows >= blocks;
  Step step{describe(lowering.graph(), node), parts, nullptr};
  step.bind = [run, packed, from = from.where, to = result.where(), by_rows, by_blocks, cut_rows,
               compute = kernel.run](RunMemory& memory) -> Step::Work {
    kernels::DepthwiseRun bound = run;
    bound.from = reinterpret_cast<const uint8_t*>(memory.at(from));
    bound.to = memory.at(to);
    return [=](int part) {
      kernels::DepthwiseRun share = bound;
      share.first_row = cut_rows ? by_rows.begin(part) : 0;
      share.last_row = cut_rows ? by_rows.end(part) : by_rows.total;
      share.first_block = cut_rows ? 0 : by_blocks.begin(part);
      share.last_block = cut_rows ? by_blocks.total : by_blocks.end(part);
      compute(packed.constant.get(), share);
    };
  };
  lowering.add_step(std::move(step), {from.where, result.where()});
  result.finish(lowering);
  return "";
}

}  // namespace halftone::runtime
