#include "halftone/transform/equalize.h"

#include <gtest/gtest.h>

#include <cmath>

#include "halftone/graph/op_table.h"
#include "halftone/sim/interpreter.h"
#include "halftone/transform/channel_groups.h"
#include "tests/support/test_graph.h"

namespace halftone::transform::equalize_test {
namespace {

using test::floats;
using test::ints;
using test::TestGraph;

std::vector<float> content(const Graph& graph, ValueId id) { return to_vector<float>(*graph.value(id).constant); }
std::vector<float> weights_of(const Graph& graph, size_t node) { return content(graph, graph.nodes()[node].inputs[1]); }

Tensor filled(Shape shape, const std::vector<float>& numbers) { return Tensor::from(std::move(shape), numbers); }

// The network's first output for a fixed input of both signs.
std::vector<float> run(const Graph& graph) {
  TensorMap inputs;
  for (const ValueId id : graph.required_inputs()) {
    Tensor x(DType::Float, *graph.value(id).type.fixed_shape());
    int i = 0;
    for (float& each : x.mutable_data<float>()) each = static_cast<float>(i++ * 37 % 19) / 4 - 2;
    inputs[graph.value(id).name] = x;
  }
  return to_vector<float>(sim::Interpreter(graph).run(inputs).at(graph.value(graph.outputs()[0]).name));
}
void expect_same_function(const Graph& before, const Graph& after) {
  const std::vector<float> expected = run(before), found = run(after);
  ASSERT_EQ(expected.size(), found.size());
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-4 * (1 + std::abs(expected[i])));
}

// Two 1x1 convolutions of two channels with `activation` between them.
//   made by rows (8, -2) and (0.5, 0.25): ranges 8 and 0.5; read by columns (2, -1) and (1, 32): ranges 2 and 32.
TestGraph pair(const std::string& activation) {
  TestGraph net;
  ValueId x = net.input("x", test::typed({1, 2, 3, 3}));
  x = net("Conv", {x, net.constant(filled({2, 2, 1, 1}, {8, -2, 0.5f, 0.25f})), net.constant(floats({4, -1}))});
  if (activation == "Clip")
    x = net("Clip", {x, net.constant(Tensor::scalar(0.0f)), net.constant(Tensor::scalar(6.0f))});
  else if (!activation.empty())
    x = net(activation, {x});
  net.graph.outputs() = {net("Conv", {x, net.constant(filled({2, 2, 1, 1}, {2, 1, -1, 32}))})};
  infer_shapes(net.graph);
  return net;
}

// Nagel et al. 2019, equation 11, with their s = 1 / factor: s = sqrt(r1 / r2) = sqrt(8 / 2) = 2 and
// sqrt(0.5 / 32) = 1/8, so the factors are 1/2 and 8, and both ranges become sqrt(r1 r2) = 4.
TEST(Equalize, TwoLayersByHand) {
  for (const std::string activation : {"", "Relu", "LeakyRelu"}) {
    SCOPED_TRACE(activation);
    const TestGraph net = pair(activation);
    const Equalization result = equalize(net.graph);
    const std::vector<float> first = weights_of(result.graph, 0);
    const std::vector<float> second = weights_of(result.graph, result.graph.nodes().size() - 1);
    const std::vector<float> expected_first = {4, -1, 4, 2}, expected_second = {4, 0.125f, -2, 4};
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_NEAR(first[i], expected_first[i], 1e-4);
      EXPECT_NEAR(second[i], expected_second[i], 1e-4);
    }
    const std::vector<float> bias = content(result.graph, result.graph.nodes()[0].inputs[2]);
    EXPECT_NEAR(bias[0], 2, 1e-4);
    EXPECT_NEAR(bias[1], -8, 1e-4);
    expect_same_function(net.graph, result.graph);
  }
}

TEST(Equalize, StatisticsScaleAlong) {
  const TestGraph net = pair("Relu");
  const std::string y = net.graph.value(net.graph.nodes()[0].outputs[0]).name;
  const Equalization result = equalize(net.graph);
  const NormStatistics norms = scale(NormStatistics{{y, {{1, 2}, {3, 4}}}, {"other", {{1}, {1}}}}, result);
  EXPECT_NEAR(norms.at(y).mean[0], 0.5, 1e-5);
  EXPECT_NEAR(norms.at(y).mean[1], 16, 1e-4);
  EXPECT_NEAR(norms.at(y).deviation[0], 1.5, 1e-5);
  EXPECT_NEAR(norms.at(y).deviation[1], 32, 1e-4);
  EXPECT_EQ(norms.at("other").mean[0], 1);
}

// r1, r2, r3 of a layer, a depthwise one and a third: all three ranges of a channel become (r1 r2 r3)^(1/3).
TEST(Equalize, DepthwiseTriple) {
  TestGraph net;
  ValueId x = net.input("x", test::typed({1, 1, 4, 4}));
  x = net("Relu", {net("Conv", {x, net.constant(filled({2, 1, 1, 1}, {8, 1}))})});
  x = net("Relu", {net("Conv", {x, net.constant(filled({2, 1, 1, 2}, {1, -0.5f, 9, 3}))}, {{"group", int64_t{2}}})});
  net.graph.outputs() = {net("Conv", {x, net.constant(filled({1, 2, 1, 1}, {1, -3}))})};
  infer_shapes(net.graph);
  const Equalization result = equalize(net.graph);
  const std::vector<float> first = weights_of(result.graph, 0), depthwise = weights_of(result.graph, 2),
                           last = weights_of(result.graph, 4);
  // The channels' geometric means: cbrt(8 * 1 * 1) = 2 and cbrt(1 * 9 * 3) = 3.
  EXPECT_NEAR(first[0], 2, 1e-4);
  EXPECT_NEAR(first[1], 3, 1e-4);
  EXPECT_NEAR(depthwise[0], 2, 1e-4);
  EXPECT_NEAR(depthwise[1], -1, 1e-4);
  EXPECT_NEAR(depthwise[2], 3, 1e-4);
  EXPECT_NEAR(last[0], 2, 1e-4);
  EXPECT_NEAR(last[1], -3, 1e-4);
  expect_same_function(net.graph, result.graph);
}

TEST(Equalize, DeadChannelsKeepTheirScale) {
  TestGraph net;
  ValueId x = net.input("x", test::typed({1, 1, 4, 4}));
  // Channel 0 is not made, 1 is not read, 2 is made by 4 and read by 1.
  x = net("Relu", {net("Conv", {x, net.constant(filled({3, 1, 1, 1}, {0, 4, 4})), net.constant(floats({5, 5, 5}))})});
  net.graph.outputs() = {net("Conv", {x, net.constant(filled({1, 3, 1, 1}, {3, 0, 1}))})};
  infer_shapes(net.graph);
  const Equalization result = equalize(net.graph);
  const std::vector<float>& factors = result.factors.at(net.graph.value(x).name);
  EXPECT_EQ(factors[0], 1);
  EXPECT_EQ(factors[1], 1);
  EXPECT_NEAR(factors[2], 0.5, 1e-5);
  expect_same_function(net.graph, result.graph);
}

TEST(Equalize, SingleChannelAndGroups) {
  TestGraph net;
  ValueId x = net.input("x", test::typed({1, 4, 4, 4}));
  x = net("Conv", {x, net.constant(filled({4, 2, 1, 1}, {1, 2, 3, 4, 0.5f, 0.1f, -9, 2}))}, {{"group", int64_t{2}}});
  x = net("Conv", {net("Relu", {x}), net.constant(filled({2, 2, 1, 1}, {7, 1, 1, 0.25f}))}, {{"group", int64_t{2}}});
  x = net("ConvTranspose", {x, net.constant(filled({2, 1, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}))}, {{"group", int64_t{1}}});
  net.graph.outputs() = {net("Conv", {x, net.constant(filled({3, 1, 1, 1}, {0.5f, -0.25f, 0}))})};
  infer_shapes(net.graph);
  const Equalization result = equalize(net.graph);
  expect_same_function(net.graph, result.graph);
  const std::vector<float> rows = weights_of(result.graph, 0), columns = weights_of(result.graph, 2);
  const float made[] = {rows[1], rows[3], rows[4], -rows[6]};
  for (size_t c = 0; c < 4; ++c) EXPECT_NEAR(made[c], columns[c], 1e-4 * made[c]);
}

// --- Clip(0, 6)

ChannelRanges ranges_of_pair(const TestGraph& net, const std::vector<Range>& ranges) {
  return {{net.graph.value(net.graph.nodes()[0].outputs[0]).name, ranges}};
}

TEST(Equalize, ClipIsKeptUnlessChannelsStayBelowIt) {
  const TestGraph net = pair("Clip");
  const std::string y = net.graph.value(net.graph.nodes()[0].outputs[0]).name;
  EXPECT_TRUE(equalize(net.graph).factors.empty()) << "nothing is known of the channels";
  // Channel 0 saturates; channel 1 wants 8 but may only reach 6.
  const Equalization result = equalize(net.graph, {.ranges = ranges_of_pair(net, {{-1, 6}, {-9, 2}})});
  EXPECT_EQ(result.factors.at(y)[0], 1);
  EXPECT_NEAR(result.factors.at(y)[1], 3, 1e-5);
  EXPECT_EQ(result.scaled_below_bounds, 1);
  EXPECT_EQ(result.graph.nodes()[1].op_type, "Clip");
}

TEST(Equalize, PerChannelBoundsKeepTheFunction) {
  const TestGraph net = pair("Clip");
  const Equalization result = equalize(net.graph, {.upper_bounds = UpperBounds::PerChannel});
  ASSERT_EQ(result.graph.nodes().size(), 4u);
  EXPECT_EQ(result.graph.nodes()[2].op_type, "Min");
  EXPECT_NEAR(content(result.graph, result.graph.nodes()[2].inputs[1])[1], 48, 1e-3);
  EXPECT_EQ(result.scaled_below_bounds, 0);
  expect_same_function(net.graph, result.graph);
}

TEST(Equalize, ReplacedByRelu) {
  const TestGraph net = pair("Clip"), without_bound = pair("Relu");
  const Equalization result = equalize(net.graph, {.upper_bounds = UpperBounds::Replace});
  ASSERT_EQ(result.graph.nodes().size(), 3u);
  expect_same_function(without_bound.graph, result.graph);
}

TEST(Equalize, DeadWeightsBecomeZero) {
  TestGraph net;
  const ValueId x = net.input("x", test::typed({1, 3, 4, 4}));
  const ValueId y = net("Conv", {x, net.constant(filled({2, 3, 1, 1}, {1, 2, 3, 4, 5, 6}))});
  net.graph.outputs() = {net("Conv", {y, net.constant(filled({2, 1, 1, 1}, {7, 8}))}, {{"group", int64_t{2}}})};
  infer_shapes(net.graph);
  const std::string name = net.graph.value(y).name;
  const Graph zeroed = zero_dead_weights(net.graph, {{"x", {{0, 1}, {0, 0}, {-1, 0}}}, {name, {{0, 0}, {-1, 1}}}});
  EXPECT_EQ(weights_of(zeroed, 0), (std::vector<float>{1, 0, 3, 4, 0, 6}));
  EXPECT_EQ(weights_of(zeroed, 1), (std::vector<float>{0, 8}));
  EXPECT_EQ(weights_of(zero_dead_weights(net.graph, {{"x", {{0, 0}}}}), 0), weights_of(net.graph, 0))
      << "not the value's channels";
}

TEST(Equalize, ExpectedRangesReachSoManyDeviations) {
  ClippedNormal plain, clipped;
  plain.centre = clipped.centre = 1;
  plain.spread = clipped.spread = 2;
  clipped.low = 0;
  const ChannelRanges ranges = expected_ranges({{"a", {plain, clipped}}}, 4);
  EXPECT_EQ(ranges.at("a"), (std::vector<Range>{{-7, 9}, {0, 9}}));
}

// --- by activations

TEST(Equalize, ActivationsByHand) {
  const TestGraph net = pair("Relu");
  const std::string y = net.graph.value(net.graph.nodes()[0].outputs[0]).name;
  // Shares of the range 1 and 1/16, to the power of -1/2.
  const Equalization result =
      equalize(net.graph, {.balance = Balance::Activations, .ranges = ranges_of_pair(net, {{-8, 1}, {0, 0.5f}})});
  EXPECT_EQ(result.factors.at(y)[0], 1);
  EXPECT_NEAR(result.factors.at(y)[1], 4, 1e-5);
  expect_same_function(net.graph, result.graph);
}

TEST(Equalize, ActivationsThatDepthwiseLayersReadAreRaisedFully) {
  TestGraph net;
  ValueId x = net.input("x", test::typed({1, 1, 4, 4}));
  const ValueId y = net("Conv", {x, net.constant(filled({2, 1, 1, 1}, {1, 1}))});
  x = net("Clip", {y, net.constant(Tensor::scalar(0.0f)), net.constant(Tensor::scalar(6.0f))});
  x = net("Conv", {x, net.constant(filled({2, 1, 1, 1}, {1, 1}))}, {{"group", int64_t{2}}});
  net.graph.outputs() = {net("Conv", {x, net.constant(filled({1, 2, 1, 1}, {1, 1}))})};
  infer_shapes(net.graph);
  const std::string name = net.graph.value(y).name;
  const Equalization result =
      equalize(net.graph, {.balance = Balance::Activations, .ranges = {{name, {{0, 30}, {-7, 0.5f}}}}});
  EXPECT_EQ(result.factors.at(name)[0], 1) << "it saturates";
  EXPECT_NEAR(result.factors.at(name)[1], 12, 1e-4) << "up to 6, not to 30";
}

// --- what channels are followed through

// A network with two convolutions of two channels, 8 times as large at channel 1 where they are made; `between` is what
// lies between them. Returns how channel 1 of the first was scaled, or 0 when it was not.
template <typename Between>
float factor_through(Between between, int64_t channels_read = 2) {
  TestGraph net;
  const ValueId x = net.input("x", test::typed({2, 1, 4, 4}));
  const ValueId y = net("Conv", {x, net.constant(filled({2, 1, 1, 1}, {1, 16}))});
  const ValueId z = between(net, y);
  Tensor weights(DType::Float, {1, channels_read, 1, 1});
  for (float& w : weights.mutable_data<float>()) w = 1;
  infer_shapes(net.graph);
  net.graph.outputs() = {
      net.graph.value(z).type.rank() == 2
          ? net("Gemm", {z, net.constant(weights.reshaped({1, channels_read}))}, {{"transB", int64_t{1}}})
          : net("Conv", {z, net.constant(weights)})};
  infer_shapes(net.graph);
  const Equalization result = equalize(net.graph);
  expect_same_function(net.graph, result.graph);
  const auto found = result.factors.find(net.graph.value(y).name);
  return found == result.factors.end() ? 0 : found->second[1];
}

TEST(Equalize, ThroughMoversAndPools) {
  const auto one = [](const std::string& op, const test::Attributes& attributes = {}) {
    return [=](TestGraph& net, ValueId y) { return net(op, {y}, attributes); };
  };
  const test::Attributes window = {{"kernel_shape", test::list({2, 2})}};
  EXPECT_NEAR(factor_through(one("MaxPool", window)), 0.25, 1e-5);
  EXPECT_NEAR(factor_through(one("AveragePool", window)), 0.25, 1e-5);
  EXPECT_NEAR(factor_through(one("GlobalAveragePool")), 0.25, 1e-5);
  EXPECT_NEAR(factor_through(one("Dropout")), 0.25, 1e-5);
  EXPECT_NEAR(factor_through(one("Neg")), 0.25, 1e-5);
  EXPECT_NEAR(factor_through(one("Flatten"), 32), 0.25, 1e-5) << "16 features each";
  EXPECT_EQ(factor_through(one("Sigmoid")), 0);
  EXPECT_EQ(factor_through(one("Transpose", {{"perm", test::list({0, 1, 3, 2})}})), 0.25f);
  EXPECT_NEAR(factor_through([](TestGraph& net, ValueId y) {
                return net("PRelu", {y, net.constant(filled({2, 1, 1}, {0.5f, -0.25f}))});
              }),
              0.25, 1e-5);
  EXPECT_NEAR(factor_through([](TestGraph& net, ValueId y) {
                return net("Max", {y, net.constant(filled({1, 4, 1}, {0.5f, -0.25f, 1, 0}))});
              }),
              0.25, 1e-5)
      << "the constant is scaled along";
  EXPECT_NEAR(factor_through([](TestGraph& net, ValueId y) {
                return net("Mul", {net.constant(filled({2, 1, 1}, {0.5f, -0.25f})),
                                   net("Add", {y, net.constant(floats({3}))})});
              }),
              0.25, 1e-5);
}

TEST(Equalize, ThroughChannelsThatChangeTheirPlace) {
  // Channel 1 is padded to place 3 of 5, or sliced to place 0, or put behind the other branch's.
  EXPECT_NEAR(factor_through(
                  [](TestGraph& net, ValueId y) {
                    return net("Pad", {y, net.constant(ints({0, 2, 0, 0, 0, 1, 1, 0}))});
                  },
                  5),
              0.25, 1e-5);
  EXPECT_NEAR(factor_through(
                  [](TestGraph& net, ValueId y) {
                    return net("Slice", {y, net.constant(ints({-1, 0})), net.constant(ints({9, 3})),
                                         net.constant(ints({1, 2}))});
                  },
                  1),
              0.25, 1e-5);
  EXPECT_NEAR(factor_through(
                  [](TestGraph& net, ValueId y) {
                    return net("Concat", {net("Relu", {y}), net("Neg", {y})}, {{"axis", int64_t{1}}});
                  },
                  4),
              0.25, 1e-5);
  EXPECT_NEAR(factor_through([](TestGraph& net, ValueId y) {
                const std::vector<ValueId> parts =
                    net.node("Split", {y, net.constant(ints({1, 1}))}, {{"axis", int64_t{1}}}, 2);
                return net("Concat", {parts[1], parts[0]}, {{"axis", int64_t{1}}});
              }),
              0.25, 1e-5);
  EXPECT_EQ(factor_through([](TestGraph& net, ValueId y) {
              return net("Pad", {y, net.constant(ints({0, 0, 0, 0, 0, 0, 1, 0})), net.constant(Tensor::scalar(1.0f))});
            }),
            0)
      << "padded with ones";
}

// Three layers that end in one chain of sums have one vector of factors.
TEST(Equalize, ResidualChainsHaveOneScale) {
  TestGraph net;
  ValueId x = net.input("x", test::typed({1, 1, 4, 4}));
  const auto make = [&](std::vector<float> w) { return net("Conv", {x, net.constant(filled({2, 1, 1, 1}, w))}); };
  const ValueId a = make({1, 4}), b = make({1, 16}), c = make({-1, 64});
  const ValueId sum = net("Relu", {net("Add", {net("Add", {a, b}), c})});
  net.graph.outputs() = {net("Conv", {sum, net.constant(filled({1, 2, 1, 1}, {1, 1}))})};
  infer_shapes(net.graph);
  const Equalization result = equalize(net.graph);
  for (const ValueId id : {a, b, c, sum}) {
    EXPECT_EQ(result.factors.at(net.graph.value(id).name), result.factors.at(net.graph.value(a).name));
  }
  // Made by cbrt(4 * 16 * 64) = 16 in the mean.
  EXPECT_NEAR(result.factors.at(net.graph.value(a).name)[1], 0.25, 1e-5);
  expect_same_function(net.graph, result.graph);
}

TEST(Equalize, LeavesAloneWhatItCannotScale) {
  TestGraph net;
  ValueId x = net.input("x", test::typed({1, 2, 4, 4}));
  const ValueId shared = net.constant(filled({2, 2, 1, 1}, {1, 2, 30, 4}));
  x = net("Relu", {net("Conv", {x, shared})});
  const ValueId seen = net("Relu", {net("Conv", {x, shared})});
  x = net("Relu", {net("Conv", {seen, net.constant(filled({2, 2, 1, 1}, {1, 2, 30, 4}))})});
  net.graph.outputs() = {net("Conv", {x, net.constant(filled({2, 2, 1, 1}, {1, 2, 3, 4}))}), seen};
  infer_shapes(net.graph);
  const Equalization result = equalize(net.graph);
  EXPECT_EQ(content(result.graph, shared), content(net.graph, shared)) << "two layers share them";
  EXPECT_FALSE(result.factors.contains(net.graph.value(seen).name)) << "the caller sees it";
  EXPECT_TRUE(result.factors.contains(net.graph.value(x).name));
}

}  // namespace
}  // namespace halftone::transform::equalize_test
