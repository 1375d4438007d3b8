#include <gtest/gtest.h>

#include "tests/support/test_graph.h"

namespace halftone::elementwise_test {
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

}  // namespace
}  // namespace halftone::elementwise_test
