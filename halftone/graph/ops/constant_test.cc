#include <gtest/gtest.h>

#include "tests/support/test_graph.h"

namespace halftone::constant_test {
namespace {

using namespace test;

TEST(GeneratorRules, MakeShapesFromContent) {
  EXPECT_EQ(infer("ConstantOfShape", {ints({2, 0, 3})}), "float[2, 0, 3]");
  EXPECT_EQ(infer("ConstantOfShape", {ints({})}, {{"value", ints({5})}}), "int64[]");
  EXPECT_EQ(infer("ConstantOfShape", {typed({2}, DType::Int64)}), "float[?, ?]");
  EXPECT_CONTAINS(infer("ConstantOfShape", {ints({-1})}), "must not be negative, found -1");
  EXPECT_CONTAINS(infer("ConstantOfShape", {ints({INT64_MAX, 2})}), "2^63 elements or more");
  const auto number64 = [](int64_t n) { return Tensor::scalar(n); };
  EXPECT_EQ(infer("Range", {number64(1), number64(8), number64(3)}), "int64[3]");
  EXPECT_EQ(infer("Range", {number64(8), number64(1), number64(-3)}), "int64[3]");
  EXPECT_EQ(infer("Range", {number64(8), number64(1), number64(3)}), "int64[0]");
  EXPECT_EQ(infer("Range", {Tensor::scalar(0.0f), Tensor::scalar(1.0f), Tensor::scalar(0.3f)}), "float[4]");
  EXPECT_EQ(infer("Range", {typed({}), typed({}), typed({})}), "float[?]");
  EXPECT_CONTAINS(infer("Range", {number64(1), number64(8), number64(0)}), "delta must not be 0");
  EXPECT_CONTAINS(infer("Range", {number64(INT64_MIN), number64(INT64_MAX), number64(1)}), "below 2^63");
  EXPECT_CONTAINS(infer("Range", {Tensor::scalar(0.0f), Tensor::scalar(1.0f), Tensor::scalar(0.0f)}), "is no range");
  EXPECT_EQ(infer("EyeLike", {typed({2, "M"})}, {{"dtype", number(11)}}), "double[2, M]");
  EXPECT_EQ(infer("Shape", {typed({2, "M", 5})}, {{"start", number(-2)}}, 15), "int64[2]");
  EXPECT_EQ(infer("Size", {typed({2, "M"})}), "int64[]");
  EXPECT_EQ(infer("Constant", {}, {{"value_floats", std::vector<float>{1, 2}}}), "float[2]");
  EXPECT_EQ(infer("Constant", {}, {{"value_int", number(1)}}), "int64[]");
}

}  // namespace
}  // namespace halftone::constant_test
