#include <gtest/gtest.h>

#include "tests/support/test_graph.h"

namespace halftone::matmul_test {
namespace {

using namespace test;

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

}  // namespace
}  // namespace halftone::matmul_test
