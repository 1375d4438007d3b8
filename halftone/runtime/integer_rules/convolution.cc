#include "halftone/runtime/integer_rules/add_conv.h"
#include "halftone/runtime/integer_rules/code_steps.h"
#include "halftone/runtime/integer_rules/product.h"
#include "halftone/runtime/integer_rules/product_operands.h"

namespace halftone::runtime {

std::string lower_integer_convolution(Lowering& lowering) {
  const IntegerNode& plan = lowering.integers();
  if (plan.form != IntegerForm::Convolution) return "no convolution";
  if (!all_narrow(plan)) return "codes of more than 8 bits";
  ConvShape shape;
  if (std::string reason = read_shape(lowering, shape); !reason.empty()) return reason;
  const Int8Weights weights = conv_weights(plan, shape);
  if (weights.sets > kMostWeightSets) return "weights of more than 8 bits";

  const Node& node = lowering.node();
  const Place from = lowering.codes(node.inputs[0], Layout::ChannelsLast);
  ProductResult result(lowering, *lowering.type(node.outputs[0]).fixed_shape(), /*matrix=*/false);
  kernels::ConvProblem problem{kernel_shape(shape, weights), gemm_problem(plan, weights)};
  problem.shape.in_pixel_stride = from.pixel_stride;
  problem.shape.out_pixel_stride = result.pixel_stride();
  add_conv(lowering, problem, shape.n, from.where, result.where());
  result.finish(lowering);
  return "";
}

}  // namespace halftone::runtime
