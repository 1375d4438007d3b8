#include <gtest/gtest.h>

#include "tests/support/test_graph.h"

namespace halftone::reduce_test {
namespace {

using namespace test;

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

}  // namespace
}  // namespace halftone::reduce_test
