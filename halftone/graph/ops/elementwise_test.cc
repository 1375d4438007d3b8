#include <gtest/gtest.h>

#include "tests/support/test_graph.h"

namespace halftone {
namespace {

using namespace test;

TEST(ElementwiseRules, Broadcast) {
  EXPECT_EQ(infer("Add", {typed({7, 1, 3}), typed({5, 1})}), "float[7, 5, 3]");
  EXPECT_EQ(infer("Mul", {typed({"N", 3}), typed({3})}), "float[N, 3]");
  EXPECT_EQ(infer("Sub", {typed({"N", 1}), typed({"N", "C"})}), "float[N, C]");
  EXPECT_EQ(infer("Div", {typed({"N"}), typed({"M"})}), "float[?]");
  EXPECT_EQ(infer("Add", {typed({"N"}), typed({4})}), "float[4]") << "N can only be 1 or 4";
  EXPECT_EQ(infer("Add", {typed({0}), typed({1})}), "float[0]");
  EXPECT_EQ(infer("Add", {typed({2}), TensorType{DType::Float, {}}}), "float[...]");
  EXPECT_EQ(infer("Max", {typed({2, 1}), typed({3}), typed({})}), "float[2, 3]");
  EXPECT_EQ(infer("Less", {typed({2, 1}), typed({3})}), "bool[2, 3]");
  EXPECT_EQ(infer("Pow", {typed({2}), typed({2}, DType::Int64)}), "float[2]");
  EXPECT_EQ(infer("Where", {typed({2, 1}, DType::Bool), typed({3}), typed({})}), "float[2, 3]");
  EXPECT_CONTAINS(infer("Add", {typed({2}), typed({3})}), "shapes must broadcast (extents equal or 1), found float[2]");
  EXPECT_CONTAINS(infer("Add", {typed({0}), typed({3})}), "shapes must broadcast");
  EXPECT_CONTAINS(infer("Mul", {typed({2}), typed({2}, DType::Int32)}), "same element type, found float and int32");
}

TEST(ElementwiseRules, KeepOrChangeTypes) {
  EXPECT_EQ(infer("Relu", {typed({"N", "?"}, DType::Float16)}), "float16[N, ?]");
  EXPECT_EQ(infer("IsNaN", {typed({4})}), "bool[4]");
  EXPECT_EQ(infer("Cast", {typed({4})}, {{"to", number(22)}}), "int4[4]");
  EXPECT_EQ(infer("CastLike", {typed({4}), typed({1, 1}, DType::Double)}), "double[4]");
  EXPECT_EQ(infer("Dropout", {typed({4})}, {}, 13, 2), "float[4]; bool[4]");
  EXPECT_EQ(infer("Dropout", {typed({4})}, {}, 7, 2), "float[4]; float[4]");
  EXPECT_EQ(infer("Clip", {typed({4}), kLeftOut, Tensor::scalar(1.0f)}), "float[4]");
  EXPECT_EQ(infer("Swish", {typed({3})}, {}, 24), "float[3]");
  EXPECT_CONTAINS(infer("Cast", {typed({4})}), "requires the attribute 'to'");
}

TEST(ElementwiseRules, PReluBroadcastsTheSlopeOnly) {
  EXPECT_EQ(infer("PRelu", {typed({"N", 3, 5, 5}), typed({3, 1, 1})}), "float[N, 3, 5, 5]");
  EXPECT_CONTAINS(infer("PRelu", {typed({1, 3}), typed({2, 3})}), "the slope must broadcast to the input");
  EXPECT_CONTAINS(infer("PRelu", {typed({3}), typed({1, 3})}), "the slope must broadcast to the input");
}

TEST(ReduceRule, TakesAxesFromAttributeOrInput) {
  const TensorType x = typed({"N", 3, 5});
  EXPECT_EQ(infer("ReduceMean", {x}, {{"axes", list({-1, 1})}}), "float[N, 1, 1]");
  EXPECT_EQ(infer("ReduceMean", {x}, {{"axes", list({1})}, {"keepdims", number(0)}}), "float[N, 5]");
  EXPECT_EQ(infer("ReduceMax", {x}, {{"keepdims", number(0)}}), "float[]");
  EXPECT_EQ(infer("ReduceSum", {x, ints({0})}), "float[1, 3, 5]");
  EXPECT_EQ(infer("ReduceSum", {x, ints({})}), "float[1, 1, 1]");
  EXPECT_EQ(infer("ReduceSum", {x, ints({})}, {{"noop_with_empty_axes", number(1)}}), "float[N, 3, 5]");
  EXPECT_EQ(infer("ReduceL2", {x, typed({"?"}, DType::Int64)}, {}, 18), "float[?, ?, ?]");
  EXPECT_EQ(infer("ReduceL2", {x, typed({1}, DType::Int64)}, {{"keepdims", number(0)}}, 18), "float[...]");
  EXPECT_CONTAINS(infer("ReduceSum", {x, ints({3})}), "an axis must lie in [-3, 3) for rank 3, found 3");
  EXPECT_EQ(infer("ArgMax", {x}, {{"axis", number(-1)}}), "int64[N, 3, 1]");
  EXPECT_EQ(infer("ArgMin", {x}, {{"keepdims", number(0)}}), "int64[3, 5]");
  EXPECT_CONTAINS(infer("ArgMin", {x}, {{"axis", number(-4)}}), "[-3, 3)");
}

TEST(MatMulRules, FollowNumpy) {
  EXPECT_EQ(infer("MatMul", {typed({"N", 4, 5}), typed({5, 6})}), "float[N, 4, 6]");
  EXPECT_EQ(infer("MatMul", {typed({2, 1, 4, 5}), typed({3, 5, 6})}), "float[2, 3, 4, 6]");
  EXPECT_EQ(infer("MatMul", {typed({5}), typed({5})}), "float[]");
  EXPECT_EQ(infer("MatMul", {typed({5}), typed({3, 5, 6})}), "float[3, 6]");
  EXPECT_EQ(infer("MatMul", {typed({3, 4, 5}), typed({5})}), "float[3, 4]");
  EXPECT_EQ(infer("MatMul", {typed({0, 5}), typed({5, 2})}), "float[0, 2]");
  EXPECT_CONTAINS(infer("MatMul", {typed({4, 5}), typed({4, 6})}), "inner extents of the product must be equal");
  EXPECT_CONTAINS(infer("MatMul", {typed({}), typed({4})}), "rank of at least 1");
  EXPECT_EQ(infer("MatMulInteger", {typed({4, 5}, DType::UInt8), typed({5, 6}, DType::Int8)}), "int32[4, 6]");
  EXPECT_EQ(infer("Gemm", {typed({5, 4}), typed({6, 5}), typed({6})}, {{"transA", number(1)}, {"transB", number(1)}}),
            "float[4, 6]");
  EXPECT_EQ(infer("Gemm", {typed({"N", 4}), typed({4, 6}), typed({})}), "float[N, 6]");
  EXPECT_CONTAINS(infer("Gemm", {typed({1, 4}), typed({4, 6}), typed({2, 6})}), "C must broadcast to");
  EXPECT_CONTAINS(infer("Gemm", {typed({1, 4}), typed({4, 6}), typed({1, 1, 6})}), "C must broadcast to");
  EXPECT_CONTAINS(infer("Gemm", {typed({1, 4, 1}), typed({4, 6})}), "input 0 must have rank 2");
  EXPECT_EQ(infer("Det", {typed({7, 3, 3})}), "float[7]");
  EXPECT_CONTAINS(infer("Det", {typed({3, 4})}), "rows and columns must be equal");
}

TEST(EinsumRule, ParsesEquations) {
  const auto einsum = [](const std::string& equation, const std::vector<Operand>& operands) {
    return infer("Einsum", operands, {{"equation", word(equation)}});
  };
  EXPECT_EQ(einsum("ij, jk -> ik", {typed({2, 3}), typed({3, 4})}), "float[2, 4]");
  EXPECT_EQ(einsum("...ii->...i", {typed({"N", 3, 3})}), "float[N, 3]");
  EXPECT_EQ(einsum("ba", {typed({2, 3})}), "float[3, 2]") << "implicit results are in alphabetical order";
  EXPECT_EQ(einsum("ij,jk", {typed({2, 3}), typed({3, 4})}), "float[2, 4]");
  EXPECT_EQ(einsum("ij->", {typed({2, 3})}), "float[]");
  EXPECT_EQ(einsum("...ij,...jk->...ik", {typed({5, 2, 3}), typed({7, 1, 3, 4})}), "float[7, 5, 2, 4]");
  EXPECT_CONTAINS(einsum("ij,jk->ik", {typed({2, 3}), typed({4, 4})}), "shapes must broadcast");
  EXPECT_CONTAINS(einsum("ij->ik", {typed({2, 3})}), "index 'k' must occur in a term");
  EXPECT_CONTAINS(einsum("ij,jk->ik", {typed({2, 3})}), "has 2 terms for 1 inputs");
  EXPECT_CONTAINS(einsum("ijk->i", {typed({2, 3})}), "input 0 must have rank 3");
  EXPECT_CONTAINS(einsum("i.j->i", {typed({2, 3})}), "found '.'");
}

}  // namespace
}  // namespace halftone
