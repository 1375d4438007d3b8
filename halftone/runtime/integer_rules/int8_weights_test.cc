#include "halftone/runtime/integer_rules/int8_weights.h"

#include <gtest/gtest.h>

namespace halftone::runtime::int8_weights_test {
namespace {

IntegerNode node_with(const Tensor& weights, std::vector<int32_t> zero_points, int64_t axis) {
  IntegerNode node;
  node.weights = weights;
  node.weight_zero_points = std::move(zero_points);
  node.weight_axis = axis;
  return node;
}

TEST(Int8Weights, AreTransposed) {
  // A convolution's [2, 3, taps 2] as [output][tap][input].
  std::vector<int8_t> values(12);
  for (size_t i = 0; i < 12; ++i) values[i] = static_cast<int8_t>(i);
  const Int8Weights weights = int8_weights(node_with(Tensor::from({2, 3, 2}, values), {0, 0}, 0), {2, 2, 3, 6, 1, 2});
  EXPECT_EQ(weights.sets, 1);
  EXPECT_EQ(weights.values, (std::vector<int8_t>{0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11}));
}

TEST(Int8Weights, BeyondInt8AreSums) {
  const std::vector<uint8_t> values = {0, 255, 10, 200};
  // Centred: -10, 245, -190, 0; 245 takes two numbers.
  const Int8Weights two = int8_weights(node_with(Tensor::from({2, 2}, values), {10, 200}, 0), {2, 1, 2, 2, 1, 1});
  EXPECT_EQ(two.sets, 2);
  EXPECT_EQ(two.values, (std::vector<int8_t>{-10, 127, 0, 118, -128, 0, -62, 0}));
  const Int8Weights three = int8_weights(node_with(Tensor::from({4}, values), {0}, -1), {1, 1, 4, 4, 1, 1});
  EXPECT_EQ(three.sets, 3);
  EXPECT_EQ(three.values, (std::vector<int8_t>{0, 127, 10, 127, 0, 127, 0, 73, 0, 1, 0, 0}));
}

TEST(Int8Weights, AtTheEndsOfASet) {
  const auto sets = [](int32_t w) { return int8_sets({w}, 1).sets; };
  EXPECT_EQ(sets(127), 1);
  EXPECT_EQ(sets(-128), 1);
  EXPECT_EQ(sets(128), 2);
  EXPECT_EQ(sets(-129), 2);
  EXPECT_EQ(sets(254), 2);
  EXPECT_EQ(sets(-256), 2);
  EXPECT_EQ(sets(255), 3);
  EXPECT_EQ(sets(-257), 3);
}

TEST(Int8Weights, NegativeSums) {
  EXPECT_EQ(negative_sums({1, -2, 3, 4, 5, -128}, 2), (std::vector<int32_t>{-2, 119}));
}

}  // namespace
}  // namespace halftone::runtime::int8_weights_test
