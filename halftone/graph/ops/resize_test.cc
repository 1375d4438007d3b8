#include <gtest/gtest.h>

#include "tests/support/test_graph.h"

namespace halftone::resize_test {
namespace {

using namespace test;

TEST(ResizeRules, MultiplyOrTakeSizes) {
  const TensorType x = typed({"N", 3, 10, 7});
  const Tensor scales = floats({1, 1, 0.7f, 2});
  EXPECT_EQ(infer("Resize", {x, kLeftOut, scales}), "float[N, 3, 7, 14]");
  EXPECT_EQ(infer("Resize", {x, scales}, {}, 10), "float[N, 3, 7, 14]");
  EXPECT_EQ(infer("Resize", {x, kLeftOut, floats({}), ints({2, 3, 5, 5})}), "float[2, 3, 5, 5]");
  EXPECT_EQ(infer("Resize", {x, kLeftOut, kLeftOut, ints({20, 20})}, {{"axes", list({2, 3})}}, 18),
            "float[N, 3, 20, 20]");
  // The smaller of 20/10 and 20/7 for all, or the larger: 7 * 2 and 10 * 20/7 rounded.
  EXPECT_EQ(infer("Resize", {x, kLeftOut, kLeftOut, ints({20, 20})},
                  {{"axes", list({2, 3})}, {"keep_aspect_ratio_policy", word("not_larger")}}, 18),
            "float[N, 3, 20, 14]");
  EXPECT_EQ(infer("Resize", {x, kLeftOut, kLeftOut, ints({20, 20})},
                  {{"axes", list({2, 3})}, {"keep_aspect_ratio_policy", word("not_smaller")}}, 18),
            "float[N, 3, 29, 20]");
  EXPECT_EQ(infer("Upsample", {x}, {{"scales", std::vector<float>{1, 1, 2, 3}}}, 7), "float[N, 3, 20, 21]");
  EXPECT_EQ(infer("Upsample", {x, floats({1, 1, 2, 3})}, {}, 9), "float[N, 3, 20, 21]");
  EXPECT_EQ(infer("Resize", {x, kLeftOut, typed({4})}), "float[?, ?, ?, ?]");
  EXPECT_CONTAINS(infer("Resize", {x}), "requires scales or sizes");
  EXPECT_CONTAINS(infer("Resize", {x, kLeftOut, floats({1, 2})}), "one entry per axis");
  EXPECT_CONTAINS(infer("Resize", {x, kLeftOut, floats({1, 1, 0, 1})}), "a scale must be positive");
  EXPECT_CONTAINS(infer("Resize", {x, kLeftOut, floats({1, 1, 3e38f, 1})}), "below 2^62");
}

}  // namespace
}  // namespace halftone::resize_test
