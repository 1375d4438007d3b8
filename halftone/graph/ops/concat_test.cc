#include <gtest/gtest.h>

#include "tests/support/test_graph.h"

namespace halftone::concat_test {
namespace {

using namespace test;

TEST(ConcatRule, AddsAlongTheAxisOnly) {
  EXPECT_EQ(infer("Concat", {typed({"N", 3}), typed({"N", 4})}, {{"axis", number(-1)}}), "float[N, 7]");
  EXPECT_EQ(infer("Concat", {typed({"N", 3}), typed({2, 3})}, {{"axis", number(0)}}), "float[?, 3]");
  EXPECT_EQ(infer("Concat", {typed({"?", 3}), typed({2, 4})}, {{"axis", number(1)}}), "float[2, 7]");
  EXPECT_EQ(infer("Concat", {typed({0, 3}), typed({2, 3})}, {{"axis", number(0)}}), "float[2, 3]");
  EXPECT_EQ(infer("Concat", {typed({1, 3}), TensorType{DType::Float, {}}}, {{"axis", number(1)}}), "float[1, ?]");
  EXPECT_CONTAINS(infer("Concat", {typed({1, 3}), typed({2, 4})}, {{"axis", number(1)}}), "extents of axis 0");
  EXPECT_CONTAINS(infer("Concat", {typed({1, 3}), typed({3})}, {{"axis", number(0)}}), "input 1 must have rank 2");
  EXPECT_CONTAINS(infer("Concat", {typed({3})}), "requires the attribute axis");
  EXPECT_CONTAINS(infer("Concat", {typed({3}), typed({3}, DType::Int8)}, {{"axis", number(0)}}), "same element type");
}

TEST(SplitRule, DividesEquallyOrAsTold) {
  EXPECT_EQ(infer("Split", {typed({"N", 6})}, {{"axis", number(1)}}, 13, 3), "float[N, 2]; float[N, 2]; float[N, 2]");
  EXPECT_EQ(infer("Split", {typed({7, 2})}, {{"split", list({5, 2})}}, 11, 2), "float[5, 2]; float[2, 2]");
  EXPECT_EQ(infer("Split", {typed({7, 2}), ints({0, 7})}, {}, 13, 2), "float[0, 2]; float[7, 2]");
  EXPECT_EQ(infer("Split", {typed({7})}, {{"num_outputs", number(3)}}, 18, 3), "float[3]; float[3]; float[1]");
  EXPECT_CONTAINS(infer("Split", {typed({7})}, {}, 13, 2), "can't be split into 2 parts");
  EXPECT_CONTAINS(infer("Split", {typed({7}), ints({3, 3})}, {}, 13, 2), "the sum of split and the axis");
  EXPECT_CONTAINS(infer("Split", {typed({7}), ints({3, 4})}, {}, 13, 3), "one entry per output");
  EXPECT_CONTAINS(infer("Split", {typed({7}), ints({INT64_MAX, 1})}, {}, 13, 2), "below 2^63");
}

}  // namespace
}  // namespace halftone::concat_test
