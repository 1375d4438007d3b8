#include <cmath>

#include "halftone/sim/ops/test_one_op.h"

namespace halftone::sim::normalization_test {
namespace {

const Attributes kNoEpsilon = {{"epsilon", 0.0f}};

TEST(BatchNormalization, Inference) {
  const OneOp op{
      "BatchNormalization",
      {counting({1, 2, 2}), tensor({2}, {2, 1}), tensor({2}, {1, 0}), tensor({2}, {1, 2}), tensor({2}, {4, 1})},
      kNoEpsilon};
  expect_equal(op.run(), {1, 2, 2}, {0, 1, 0, 1});
}

TEST(BatchNormalization, TrainingUsesTheBatchAndMovesTheStatistics) {
  OneOp op{"BatchNormalization",
           {tensor({2, 1, 2}, {1, 3, 5, 7}), tensor({1}, {1}), tensor({1}, {0}), tensor({1}, {10}), tensor({1}, {1})},
           {{"epsilon", 0.0f}, {"training_mode", int64_t{1}}, {"momentum", 0.75f}}};
  op.outputs = 3;
  const std::vector<Tensor> results = op.run_all();
  const double d = std::sqrt(5.0);  // mean 4, variance 5
  expect_near(results[0], {2, 1, 2}, {-3 / d, -1 / d, 1 / d, 3 / d});
  expect_near(results[1], {1}, {8.5});
  expect_near(results[2], {1}, {2});

  // Before opset 14 a node trained when it named the statistics.
  op.opset = 9;
  op.attributes = {{"epsilon", 0.0f}, {"momentum", 0.75f}};
  op.outputs = 5;
  const std::vector<Tensor> old = op.run_all();
  ASSERT_EQ(old.size(), 5u);
  EXPECT_TRUE(old[0].same_as(results[0]));
  expect_near(old[1], {1}, {8.5});
  expect_near(old[3], {1}, {4});
  expect_near(old[4], {1}, {5});
}

TEST(BatchNormalization, StatisticsPerPlaceBeforeOpset9) {
  OneOp op{
      "BatchNormalization",
      {tensor({1, 1, 2}, {5, 5}), tensor({2}, {1, 2}), tensor({2}, {0, 0}), tensor({2}, {4, 3}), tensor({2}, {1, 1})},
      {{"epsilon", 0.0f}, {"spatial", int64_t{0}}},
      7};
  expect_equal(op.run(), {1, 1, 2}, {1, 4});
  op.opset = 9;
  EXPECT_REFUSED(op, "must have 1 elements");
}

TEST(LayerNormalization, ThreeOutputs) {
  OneOp op{
      "LayerNormalization", {tensor({2, 2}, {1, 3, 10, 30}), tensor({2}, {2, 1}), tensor({2}, {0, 5})}, kNoEpsilon};
  op.outputs = 3;
  const std::vector<Tensor> results = op.run_all();
  expect_near(results[0], {2, 2}, {-2, 6, -2, 6});
  expect_near(results[1], {2, 1}, {2, 20});
  expect_near(results[2], {2, 1}, {1, 0.1});
  for (Tensor& input : op.inputs) input = convert(input, DType::Float16);
  const std::vector<Tensor> halves = op.run_all();
  EXPECT_EQ(halves[0].dtype(), DType::Float16);
  EXPECT_EQ(halves[1].dtype(), DType::Float);  // stash_type
}

TEST(LayerNormalization, NormalizesFromTheAxisOn) {
  const OneOp op{"LayerNormalization",
                 {tensor({1, 2, 2}, {0, 2, 4, 6}), tensor({2, 2}, {1, 1, 1, 1})},
                 {{"epsilon", 0.0f}, {"axis", int64_t{1}}}};
  const double d = std::sqrt(5.0);
  expect_near(op.run(), {1, 2, 2}, {-3 / d, -1 / d, 1 / d, 3 / d});
  EXPECT_REFUSED((OneOp{"LayerNormalization", {counting({2, 2}), counting({3})}}), "broadcast");
  EXPECT_REFUSED((OneOp{"LayerNormalization", {counting({2, 2}), counting({2})}, {{"axis", int64_t{2}}}}), "axis");
}

TEST(RMSNormalization, KeepsTheMean) {
  const OneOp op{"RMSNormalization", {tensor({1, 2}, {3, 4}), tensor({2}, {1, 2})}, kNoEpsilon, 23};
  const double rms = std::sqrt(12.5);
  expect_near(op.run(), {1, 2}, {3 / rms, 8 / rms});
}

TEST(GroupNormalization, ParametersPerGroupThenPerChannel) {
  const Tensor x = tensor({1, 4, 1}, {1, 3, 10, 30});
  Attributes attributes = kNoEpsilon;
  attributes.emplace_back("num_groups", int64_t{2});
  const OneOp groups{"GroupNormalization", {x, tensor({2}, {1, 2}), tensor({2}, {0, 1})}, attributes, 18};
  expect_near(groups.run(), {1, 4, 1}, {-1, 1, -1, 3});
  OneOp channels{"GroupNormalization", {x, tensor({4}, {1, 2, 3, 4}), tensor({4}, {0, 0, 0, 1})}, attributes, 21};
  expect_near(channels.run(), {1, 4, 1}, {-1, 2, -3, 5});
  channels.attributes = {{"num_groups", int64_t{3}}};
  EXPECT_REFUSED(channels, "can't be split into 3 groups");
}

TEST(InstanceNormalization, EachPlaneByItself) {
  const OneOp op{
      "InstanceNormalization", {tensor({2, 1, 2}, {1, 3, 10, 30}), tensor({1}, {2}), tensor({1}, {1})}, kNoEpsilon};
  expect_near(op.run(), {2, 1, 2}, {-1, 3, -1, 3});
}

TEST(MeanVarianceNormalization, OverTheGivenAxes) {
  const OneOp op{"MeanVarianceNormalization", {tensor({2, 2}, {1, 10, 3, 30})}, {{"axes", Ints{0}}}};
  expect_near(op.run(), {2, 2}, {-1, -1, 1, 1});
}

TEST(LpNormalization, ZerosStayZero) {
  const OneOp rows{"LpNormalization", {tensor({2, 2}, {3, 4, 0, 0})}};
  expect_near(rows.run(), {2, 2}, {0.6, 0.8, 0, 0});
  const OneOp columns{"LpNormalization", {tensor({2, 2}, {1, 0, -3, 5})}, {{"axis", int64_t{0}}, {"p", int64_t{1}}}};
  expect_near(columns.run(), {2, 2}, {0.25, 0, -0.75, 1});
}

TEST(LRN, AnEvenWindowReachesFurtherAhead) {
  const OneOp op{"LRN",
                 {tensor({1, 4, 1}, {1, 2, 3, 4})},
                 {{"size", int64_t{2}}, {"alpha", 2.0f}, {"beta", 1.0f}, {"bias", 1.0f}}};
  expect_near(op.run(), {1, 4, 1}, {1.0 / 6, 2.0 / 14, 3.0 / 26, 4.0 / 17});
}

TEST(Softmax, FlattensBeforeOpset13) {
  const Tensor zeros(DType::Float, {2, 3, 2});
  const double third = 1.0 / 3, sixth = 1.0 / 6;
  expect_near(OneOp{"Softmax", {zeros}, {}, 11}.run(), {2, 3, 2}, std::vector<double>(12, sixth));
  expect_near(OneOp{"Softmax", {zeros}, {}, 13}.run(), {2, 3, 2}, std::vector<double>(12, 0.5));
  const Attributes axis = {{"axis", int64_t{1}}};
  expect_near(OneOp{"Softmax", {zeros}, axis, 13}.run(), {2, 3, 2}, std::vector<double>(12, third));
  expect_near(OneOp{"LogSoftmax", {zeros}, axis, 13}.run(), {2, 3, 2}, std::vector<double>(12, std::log(third)));
}

TEST(Softmax, LargeNumbersDoNotOverflow) {
  const double e = std::exp(1.0);
  expect_near(OneOp{"Softmax", {tensor({2}, {10000, 10001})}}.run(), {2}, {1 / (1 + e), e / (1 + e)});
  expect_near(OneOp{"LogSoftmax", {tensor({2}, {-10000, 10000})}}.run(), {2}, {-20000, 0});
}

TEST(Hardmax, TakesTheFirstOfEqualOnes) {
  expect_equal(OneOp{"Hardmax", {tensor({2, 3}, {1, 5, 5, 0, 0, 0})}}.run(), {2, 3}, {0, 1, 0, 1, 0, 0});
}

}  // namespace
}  // namespace halftone::sim::normalization_test
