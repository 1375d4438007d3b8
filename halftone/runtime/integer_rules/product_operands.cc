#include "halftone/runtime/integer_rules/product_operands.h"

namespace halftone::runtime {

std::string read_operands(const Lowering& lowering, MatrixOperands& operands) {
  const Node& node = lowering.node();
  const std::optional<Shape> x = lowering.float_shape(node.inputs[0]), y = lowering.float_shape(node.outputs[0]);
  if (!x || !y || x->empty()) return "a shape is unknown";
  if (node.int_or("transA", 0) != 0) return "its activations are transposed";
  const bool transposed = node.int_or("transB", 0) != 0;
  const IntegerNode& plan = lowering.integers();
  const Shape& w = plan.weights.shape();
  const int64_t columns = w[transposed ? 0 : 1], depth = w[transposed ? 1 : 0];
  if (element_count(*x) == 0 || columns == 0) return "nothing to compute";
  const WeightOrder order =
      transposed ? WeightOrder{columns, 1, depth, depth, 1, 1} : WeightOrder{columns, 1, depth, 1, 1, columns};
  operands = {element_count(*x) / depth, depth, columns, *y, int8_weights(plan, order)};
  return operands.weights.sets > kMostWeightSets ? "weights of more than 8 bits" : "";
}

std::string read_shape(const Lowering& lowering, ConvShape& shape) {
  const std::optional<ConvShape> known = conv_shape(lowering, lowering.node(), &lowering.integers().weights.shape());
  if (!known) return "a shape is unknown, or not of one or two dimensions";
  shape = *known;
  return shape.macs() == 0 ? "nothing to compute" : "";
}

Int8Weights conv_weights(const IntegerNode& plan, const ConvShape& shape) {
  const int64_t taps = shape.kh * shape.kw, inputs = plan.weights.shape()[1];
  return int8_weights(plan, {shape.oc, taps, inputs, inputs * taps, 1, taps});
}

kernels::ConvShape kernel_shape(const MatrixOperands& operands) {
  kernels::ConvShape shape;
  shape.in_channels = shape.in_pixel_stride = operands.depth;
  shape.out_channels = operands.columns;
  shape.weight_sets = operands.weights.sets;
  return shape;
}

kernels::ConvShape kernel_shape(const ConvShape& from, const Int8Weights& weights) {
  kernels::ConvShape shape;
  shape.in_height = from.ih;
  shape.in_width = from.iw;
  shape.in_channels = shape.in_pixel_stride = from.ic;
  shape.out_height = from.oh;
  shape.out_width = from.ow;
  shape.out_channels = from.oc;
  shape.kernel_height = from.kh;
  shape.kernel_width = from.kw;
  shape.stride_height = from.stride_h;
  shape.stride_width = from.stride_w;
  shape.dilation_height = from.dilation_h;
  shape.dilation_width = from.dilation_w;
  shape.pad_top = from.pad_top;
  shape.pad_left = from.pad_left;
  shape.groups = from.groups;
  shape.weight_sets = weights.sets;
  return shape;
}

}  // namespace halftone::runtime
