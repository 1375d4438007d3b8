#include <gtest/gtest.h>

#include "tests/support/test_graph.h"

namespace halftone::transpose_test {
namespace {

using namespace test;

TEST(ExpandAndTileRules, Multiply) {
  EXPECT_EQ(infer("Expand", {typed({3, 1}), ints({2, 1, 6})}), "float[2, 3, 6]");
  EXPECT_EQ(infer("Expand", {typed({3, 1}), ints({1})}), "float[3, 1]");
  EXPECT_EQ(infer("Expand", {typed({"N", 4}), typed({2}, DType::Int64)}), "float[?, 4]");
  EXPECT_CONTAINS(infer("Expand", {typed({3}), ints({4})}), "shapes must broadcast");
  EXPECT_EQ(infer("Tile", {typed({2, "N"}), ints({3, 1})}), "float[6, N]");
  EXPECT_EQ(infer("Tile", {typed({2, 3}), ints({0, 1})}), "float[0, 3]");
  EXPECT_CONTAINS(infer("Tile", {typed({2, 3}), ints({1})}), "one entry per axis");
  EXPECT_CONTAINS(infer("Tile", {typed({2}), ints({INT64_MAX})}), "below 2^63");
}

TEST(TransposeRules, PermuteAndRearrange) {
  EXPECT_EQ(infer("Transpose", {typed({"N", 3, 5})}), "float[5, 3, N]");
  EXPECT_EQ(infer("Transpose", {typed({"N", 3, 5})}, {{"perm", list({0, 2, 1})}}), "float[N, 5, 3]");
  EXPECT_CONTAINS(infer("Transpose", {typed({2, 3})}, {{"perm", list({0, 0})}}), "found 0 twice");
  EXPECT_CONTAINS(infer("Transpose", {typed({2, 3})}, {{"perm", list({0})}}), "perm must have 2 entries");
  EXPECT_EQ(infer("DepthToSpace", {typed({"N", 12, 2, 3})}, {{"blocksize", number(2)}}), "float[N, 3, 4, 6]");
  EXPECT_EQ(infer("SpaceToDepth", {typed({"N", 3, 4, 6})}, {{"blocksize", number(2)}}), "float[N, 12, 2, 3]");
  EXPECT_CONTAINS(infer("DepthToSpace", {typed({1, 6, 2, 2})}, {{"blocksize", number(2)}}), "multiple of 4, found 6");
  EXPECT_CONTAINS(infer("SpaceToDepth", {typed({1, 6, 3, 2})}, {{"blocksize", number(2)}}), "the height must be");
  EXPECT_CONTAINS(infer("DepthToSpace", {typed({1, 6, 2, 2})}), "requires the attribute blocksize");
}

}  // namespace
}  // namespace halftone::transpose_test
