#include "halftone/runtime/codes.h"
#include "halftone/runtime/conv_shape.h"
#include "halftone/runtime/integer_rules/add_conv.h"
#include "halftone/runtime/integer_rules/product.h"

namespace halftone::runtime {

std::string lower_integer_convolution(Lowering& lowering) {
  const IntegerNode& plan = lowering.integers();
  if (plan.form != IntegerForm::Convolution) return "no convolution";
  if (!is_narrow(*plan.inputs[0]) || (plan.outputs[0].grid && !is_narrow(*plan.outputs[0].grid))) {
    return "codes of more than 8 bits";
  }
  const Node& node = lowering.node();
  const Shape& w = plan.weights.shape();
  const std::optional<ConvShape> geometry = conv_shape(lowering, node, &w);
  if (!geometry) return "a shape is unknown, or not of one or two dimensions";
  const ConvShape& g = *geometry;
  if (g.macs() == 0) return "nothing to compute";
  const int64_t taps = g.kh * g.kw, inputs = w[1];
  const Int8Weights weights = int8_weights(plan, {g.oc, taps, inputs, inputs * taps, 1, taps});
  if (weights.sets > kMostWeightSets) return "weights of more than 8 bits";

  const Place from = lowering.codes(node.inputs[0], Layout::ChannelsLast);
  ProductResult result(lowering, *lowering.type(node.outputs[0]).fixed_shape(), /*matrix=*/false);
  kernels::ConvProblem problem;
  problem.shape = {g.ih,
                   g.iw,
                   g.ic,
                   g.oh,
                   g.ow,
                   g.oc,
                   g.kh,
                   g.kw,
                   g.stride_h,
                   g.stride_w,
                   g.dilation_h,
                   g.dilation_w,
                   g.pad_top,
                   g.pad_left,
                   g.groups,
                   weights.sets,
                   from.pixel_stride,
                   result.pixel_stride()};
  problem.product = gemm_problem(plan, weights);
  add_conv(lowering, problem, g.n, from.where, result.where());
  result.finish(lowering);
  return "";
}

}  // namespace halftone::runtime
