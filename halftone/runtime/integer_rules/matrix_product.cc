#include "halftone/runtime/codes.h"
#include "halftone/runtime/integer_rules/add_conv.h"
#include "halftone/runtime/integer_rules/product.h"

namespace halftone::runtime {

// A matrix product with constant weights is a convolution of one pixel per row.
std::string lower_integer_matrix_product(Lowering& lowering) {
  const IntegerNode& plan = lowering.integers();
  if (plan.form != IntegerForm::MatrixProduct) return "no matrix product";
  if (!plan.weights.defined()) return "two activations";
  if (!is_narrow(*plan.inputs[0]) || (plan.outputs[0].grid && !is_narrow(*plan.outputs[0].grid))) {
    return "codes of more than 8 bits";
  }
  const Node& node = lowering.node();
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
  const int64_t rows = element_count(*x) / depth;

  const Place from = lowering.codes(node.inputs[0], Layout::Plain);
  // A vector's product has no axis for its rows.
  ProductResult result(lowering, *y, /*matrix=*/true);
  kernels::ConvProblem problem;
  problem.shape.in_channels = depth;
  problem.shape.out_channels = columns;
  problem.shape.weight_sets = weights.sets;
  problem.shape.in_pixel_stride = depth;
  problem.shape.out_pixel_stride = result.pixel_stride();
  problem.product = gemm_problem(plan, weights);
  add_conv(lowering, problem, rows, from.where, result.where());
  result.finish(lowering);
  return "";
}

}  // namespace halftone::runtime
