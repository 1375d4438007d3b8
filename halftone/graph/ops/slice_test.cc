#include <gtest/gtest.h>

#include "tests/support/test_graph.h"

namespace halftone::slice_test {
namespace {

using namespace test;

TEST(SliceRule, ClampsBoundsToTheAxis) {
  const auto slice = [](int64_t start, int64_t end, int64_t step) {
    return infer("Slice", {typed({10, 4}), ints({start}), ints({end}), ints({0}), ints({step})});
  };
  EXPECT_EQ(slice(2, 7, 2), "float[3, 4]");
  EXPECT_EQ(slice(-3, INT64_MAX, 1), "float[3, 4]");
  EXPECT_EQ(slice(0, -1, 1), "float[9, 4]");
  EXPECT_EQ(slice(INT64_MAX, INT64_MIN, -1), "float[10, 4]");
  EXPECT_EQ(slice(8, 1, -3), "float[3, 4]");
  EXPECT_EQ(slice(-30, INT64_MIN, -1), "float[1, 4]");
  EXPECT_EQ(slice(5, 5, 1), "float[0, 4]");
  EXPECT_EQ(slice(7, 2, 1), "float[0, 4]");
  EXPECT_EQ(slice(0, 10, INT64_MAX), "float[1, 4]");
  EXPECT_EQ(slice(9, INT64_MIN, INT64_MIN), "float[1, 4]");
  EXPECT_CONTAINS(slice(0, 1, 0), "a step must not be 0");
  EXPECT_EQ(infer("Slice", {typed({0}), ints({0}), ints({5})}), "float[0]");
  EXPECT_EQ(infer("Slice", {typed({5, 6})}, {{"starts", list({1, -2})}, {"ends", list({3, 100})}}, 9), "float[2, 2]");
  EXPECT_EQ(infer("Slice", {typed({"N", 6}), ints({0}), ints({INT64_MAX}), ints({0})}), "float[N, 6]");
  EXPECT_EQ(infer("Slice", {typed({"N", 6}), ints({0}), ints({-1}), ints({0})}), "float[?, 6]");
  EXPECT_CONTAINS(infer("Slice", {typed({5}), ints({0}), ints({1, 2})}),
                  "must have equal lengths, found 1, 2, 1 and 1");
  EXPECT_CONTAINS(infer("Slice", {typed({5})}, {}, 9), "requires starts and ends");
  EXPECT_CONTAINS(infer("Slice", {typed({5}), ints({0}), ints({1}), ints({-2})}), "[-1, 1)");
}

TEST(PadRule, AddsAndCrops) {
  EXPECT_EQ(infer("Pad", {typed({1, 3}), ints({0, 2, 0, 1})}), "float[1, 6]");
  EXPECT_EQ(infer("Pad", {typed({"N", 3})}, {{"pads", list({0, -1, 0, 0})}}, 10), "float[N, 2]");
  EXPECT_EQ(infer("Pad", {typed({1, 3, 5}), ints({1, 2}), kLeftOut, ints({-1})}, {}, 18), "float[1, 3, 8]");
  EXPECT_EQ(infer("Pad", {typed({"N", 3}), typed({4}, DType::Int64)}), "float[?, ?]");
  EXPECT_CONTAINS(infer("Pad", {typed({1, 3}), ints({0, 0})}), "two entries per axis");
  EXPECT_CONTAINS(infer("Pad", {typed({1, 3}), ints({0, -4, 0, 0})}), "negative pads take more");
  EXPECT_CONTAINS(infer("Pad", {typed({1, 3}), ints({0, INT64_MAX, 0, 1})}), "below 2^63");
}

}  // namespace
}  // namespace halftone::slice_test
