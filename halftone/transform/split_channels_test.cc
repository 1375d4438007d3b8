#include "halftone/transform/split_channels.h"

#include <gtest/gtest.h>

#include <cmath>

#include "halftone/graph/op_table.h"
#include "tests/support/test_graph.h"

namespace halftone::transform::split_channels_test {
namespace {

using test::TestGraph;

Graph layer(Tensor weights, int64_t channels, const test::Attributes& attributes = {}) {
  TestGraph net;
  const ValueId x = net.input("x", test::typed({1, static_cast<int>(channels), 4, 4}));
  net.graph.outputs() = {net("Conv", {x, net.constant(std::move(weights))}, attributes)};
  infer_shapes(net.graph);
  return net.graph;
}

// The largest weight, 8, halves; the next largest is 3, so the grid of 8 bits has steps of 4 / 127 = d, and the parts
// of 8 and 1 are 4 -+ d / 4 and 0.5 -+ d / 4.
TEST(SplitChannels, ByHand) {
  const Graph graph = layer(Tensor::from<float>({2, 2, 1, 1}, {3, 8, -2, 1}), 2);
  const ChannelSplit split = split_channels(graph, {.ratio = 0.5, .bits = 8});
  EXPECT_EQ(split.layers, 1);
  EXPECT_EQ(split.channels, 1);
  ASSERT_EQ(split.graph.nodes().size(), 2u);
  const Node &gather = split.graph.nodes()[0], &conv = split.graph.nodes()[1];
  EXPECT_EQ(to_vector<int64_t>(*split.graph.value(gather.inputs[1]).constant), (std::vector<int64_t>{0, 1, 1}));
  const Tensor& weights = *split.graph.value(conv.inputs[1]).constant;
  EXPECT_EQ(weights.shape(), (Shape{2, 3, 1, 1}));
  const float d = 4.0f / 127, expected[] = {3, 4 - d / 4, 4 + d / 4, -2, 0.5f - d / 4, 0.5f + d / 4};
  for (size_t i = 0; i < 6; ++i) EXPECT_NEAR(weights.data<float>()[i], expected[i], 1e-6);
}

// Zhao et al. 2019, equation 6: Q((w - 0.5) / 2) + Q((w + 0.5) / 2) = Q(w), in steps of the grid.
TEST(SplitChannels, PartsRoundToWhatTheWholeRoundsTo) {
  std::vector<float> numbers;
  for (int i = -40; i <= 40; ++i) numbers.push_back(static_cast<float>(i) / 8 + 0.01f);
  numbers.push_back(6.0f);  // the largest: the range that results is 3, and with 3 bits a step is 1
  const auto rows = static_cast<int64_t>(numbers.size());
  const ChannelSplit split = split_channels(layer(Tensor::from({rows, 1, 1, 1}, numbers), 1), {.ratio = 1, .bits = 3});
  ASSERT_EQ(split.layers, 1);
  const Tensor& weights = *split.graph.value(split.graph.nodes()[1].inputs[1]).constant;
  for (size_t i = 0; i < numbers.size(); ++i) {
    const float a = weights.data<float>()[2 * i], b = weights.data<float>()[2 * i + 1];
    EXPECT_NEAR(a + b, numbers[i], 1e-5);
    EXPECT_EQ(std::nearbyint(a) + std::nearbyint(b), std::nearbyint(numbers[i])) << numbers[i];
  }
}

TEST(SplitChannels, LeavesLayersThatGainNothing) {
  const auto splits = [](const Graph& graph) { return split_channels(graph, {.ratio = 0.5}).layers; };
  EXPECT_EQ(splits(layer(Tensor::from<float>({1, 4, 1, 1}, {4, 4, 4, 4}), 4)), 0) << "all alike";
  EXPECT_EQ(splits(layer(Tensor::from<float>({1, 4, 1, 1}, {0, 0, 0, 0}), 4)), 0) << "all zero";
  EXPECT_EQ(splits(layer(Tensor::from<float>({2, 1, 1, 1}, {9, 1}), 2, {{"group", int64_t{2}}})), 0) << "groups";
  EXPECT_EQ(splits(layer(Tensor::from<float>({1, 2, 1, 1}, {INFINITY, 1}), 2)), 0);
  EXPECT_EQ(splits(layer(Tensor::from<float>({1, 4, 1, 1}, {9, 1, 2, 1}), 4)), 1);
}

TEST(SplitChannels, RefusesWhatIsNoShare) {
  const Graph graph = layer(Tensor::from<float>({1, 1, 1, 1}, {1}), 1);
  EXPECT_THROW(split_channels(graph, {.ratio = 1.5}), Error);
  EXPECT_THROW(split_channels(graph, {.ratio = NAN}), Error);
  EXPECT_THROW(split_channels(graph, {.bits = 1}), Error);
}

}  // namespace
}  // namespace halftone::transform::split_channels_test
