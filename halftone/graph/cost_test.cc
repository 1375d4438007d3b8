#include "halftone/graph/cost.h"

#include <gtest/gtest.h>

namespace halftone::cost_test {
namespace {

TensorType type(const Shape& shape) { return {DType::Float, to_dims(shape)}; }

Node node(const char* op, std::vector<ValueId> inputs, ValueId output) {
  Node n;
  n.op_type = op;
  n.inputs = std::move(inputs);
  n.outputs = {output};
  return n;
}

TEST(Cost, ConvolutionCountsKernelTimesOutput) {
  Graph g;
  const ValueId x = g.add_value("x", type({2, 6, 8, 8}));
  const ValueId w = g.add_constant("w", Tensor(DType::Float, {4, 3, 3, 5}));  // two groups
  const ValueId b = g.add_constant("b", Tensor(DType::Float, {4}));
  const ValueId y = g.add_value("y", type({2, 4, 6, 4}));
  const Node conv = node("Conv", {x, w, b}, y);
  EXPECT_EQ(macs_of(g, conv), 2 * 4 * 6 * 4 * (3 * 3 * 5));
  EXPECT_EQ(parameters_of(g, conv), 4 * 3 * 3 * 5 + 4);
}

TEST(Cost, TransposedConvolutionCountsKernelTimesInput) {
  Graph g;
  const ValueId x = g.add_value("x", type({1, 6, 5, 5}));
  const ValueId w = g.add_constant("w", Tensor(DType::Float, {6, 2, 3, 3}));
  const ValueId y = g.add_value("y", type({1, 2, 7, 7}));
  EXPECT_EQ(macs_of(g, node("ConvTranspose", {x, w}, y)), 6 * 5 * 5 * (2 * 3 * 3));
}

TEST(Cost, ProductsCountDepthTimesOutput) {
  Graph g;
  const ValueId a = g.add_value("a", type({7, 3}));
  const ValueId b = g.add_constant("b", Tensor(DType::Float, {7, 5}));
  const ValueId y = g.add_value("y", type({3, 5}));
  Node gemm = node("Gemm", {a, b}, y);
  gemm.set_attribute("transA", int64_t{1});
  EXPECT_EQ(macs_of(g, gemm), 7 * 3 * 5);
  const ValueId batched = g.add_value("batched", type({2, 4, 6}));
  const ValueId product = g.add_value("product", type({2, 4, 9}));
  EXPECT_EQ(macs_of(g, node("MatMul", {batched, b}, product)), 2 * 4 * 9 * 6);
}

TEST(Cost, UnknownShapesGiveNoNumberAndOtherOperatorsNone) {
  Graph g;
  const ValueId x = g.add_value("x");
  const ValueId w = g.add_constant("w", Tensor(DType::Float, {4, 3, 3, 3}));
  const ValueId y = g.add_value("y");
  EXPECT_EQ(macs_of(g, node("Conv", {x, w}, y)), std::nullopt);
  EXPECT_EQ(macs_of(g, node("Relu", {x}, y)), 0);
  const ValueId shape = g.add_constant("shape", Tensor(DType::Int64, {2}));
  EXPECT_EQ(parameters_of(g, node("Reshape", {x, shape}, y)), 0);
  const ValueId bound = g.add_constant("bound", Tensor(DType::Float, {}));
  EXPECT_EQ(parameters_of(g, node("Clip", {x, bound, bound}, y)), 0);
}

}  // namespace
}  // namespace halftone::cost_test
