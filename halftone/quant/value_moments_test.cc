// The oracle draws numbers and does to them what the network does.
#include "halftone/quant/value_moments.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include "halftone/base/rng.h"

namespace halftone::value_moments_test {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Sample {
  double mean = 0, deviation = 0;
};

Sample sample(uint64_t seed, const std::function<double(Rng&)>& draw) {
  constexpr int kDraws = 400000;
  Rng rng(seed);
  double sum = 0, square = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = draw(rng);
    sum += x;
    square += x * x;
  }
  const double mean = sum / kDraws;
  return {mean, std::sqrt(square / kDraws - mean * mean)};
}

TEST(ClippedNormal, AgreesWithDraws) {
  uint64_t seed = 1;
  for (double centre : {-3.0, -0.5, 0.0, 0.7, 5.0}) {
    for (double spread : {0.2, 1.0, 4.0}) {
      for (const auto& [low, high] :
           {std::pair(-kInfinity, kInfinity), {0.0, kInfinity}, {0.0, 6.0}, {-kInfinity, 1.0}, {-1.0, -0.5}}) {
        const ClippedNormal x{centre, spread, low, high};
        const Sample drawn = sample(
            ++seed, [&, l = low, h = high](Rng& rng) { return std::clamp(centre + spread * rng.normal(), l, h); });
        // Six deviations of the mean of the draws.
        const double slack = 6 * (spread + std::abs(centre)) / std::sqrt(400000.0);
        EXPECT_NEAR(x.mean(), drawn.mean, slack) << centre << " " << spread << " " << low << " " << high;
        EXPECT_NEAR(x.deviation(), drawn.deviation, slack) << centre << " " << spread << " " << low << " " << high;
      }
    }
  }
}

TEST(ClippedNormal, ClosedForms) {
  // A rectified standard normal number: mean 1 / sqrt(2 pi), second moment 1/2.
  const ClippedNormal rectified{0, 1, 0, kInfinity};
  EXPECT_NEAR(rectified.mean(), 1 / std::sqrt(2 * std::numbers::pi), 1e-15);
  EXPECT_NEAR(rectified.deviation(), std::sqrt(0.5 - 0.5 / std::numbers::pi), 1e-15);
  // Bounds far away and bounds that leave nothing.
  EXPECT_DOUBLE_EQ((ClippedNormal{3, 2, -1000, 1000}.mean()), 3);
  EXPECT_NEAR((ClippedNormal{3, 2, -1000, 1000}.deviation()), 2, 1e-12);
  EXPECT_NEAR((ClippedNormal{-1e6, 1, 0, 6}.mean()), 0, 1e-12);
  EXPECT_NEAR((ClippedNormal{1e6, 1, 0, 6}.mean()), 6, 1e-9);
  EXPECT_NEAR((ClippedNormal{1e6, 1, 0, 6}.deviation()), 0, 1e-6);
  EXPECT_EQ((ClippedNormal{9, 0, 0, 6}.mean()), 6);
  EXPECT_EQ((ClippedNormal{9, 0, 0, 6}.deviation()), 0);
}

TEST(ClippedNormal, RangesStopAtTheBounds) {
  EXPECT_EQ((ClippedNormal{1, 2}.range(3)), (Range{-5, 7}));
  EXPECT_EQ((ClippedNormal{1, 2, 0, 6}.range(3)), (Range{0, 6}));
  EXPECT_EQ((ClippedNormal{-9, 2, 0, 6}.range(3)), (Range{0, 0}));
}

// Nodes by the names of their values, in order.
class Net {
 public:
  Net() {
    graph_.opset_imports[""] = 13;
    for (const char* name : {"a", "b"}) graph_.add_value(name, {DType::Float, std::vector<Dim>{Dim("N"), 2, 4, 4}});
    graph_.inputs() = {graph_.find("a"), graph_.find("b")};
    statistics_ = {{"a_norm", {{1, -2}, {1, 3}}}, {"b_norm", {{0.5F, 1}, {2, 0.5F}}}};
    // What makes the normalized values is of no concern.
    node("Sigmoid", "a_norm", {"a"});
    node("Sigmoid", "b_norm", {"b"});
  }
  Node& node(const std::string& op, const std::string& output, const std::vector<std::string>& inputs) {
    Node made{output, op, "", {}, {}, {}, {}, {}};
    for (const std::string& name : inputs) made.inputs.push_back(graph_.find(name));
    made.outputs.push_back(graph_.add_value(output));
    graph_.nodes().push_back(std::move(made));
    return graph_.nodes().back();
  }
  void constant(const std::string& name, Shape shape, const std::vector<float>& values) {
    graph_.add_constant(name, Tensor::from(std::move(shape), values));
  }
  ValueMoments moments(const std::map<std::string, Range, std::less<>>& inputs = {}) const {
    return propagate_moments(graph_, statistics_, inputs);
  }
  NormStatistics& statistics() { return statistics_; }

 private:
  Graph graph_;
  NormStatistics statistics_;
};

double draw_a(Rng& rng, size_t c) { return c == 0 ? 1 + rng.normal() : -2 + 3 * rng.normal(); }
double draw_b(Rng& rng, size_t c) { return c == 0 ? 0.5 + 2 * rng.normal() : 1 + 0.5 * rng.normal(); }

void expect_drawn(const std::vector<ClippedNormal>& channels, const std::function<double(Rng&, size_t)>& draw) {
  for (size_t c = 0; c < channels.size(); ++c) {
    const Sample drawn = sample(c + 77, [&](Rng& rng) { return draw(rng, c); });
    EXPECT_NEAR(channels[c].mean(), drawn.mean, 0.06) << c;
    EXPECT_NEAR(channels[c].deviation(), drawn.deviation, 0.06) << c;
  }
}

TEST(PropagateMoments, ThroughAResidualBlock) {
  Net net;
  net.constant("six", {}, {6});
  net.constant("zero", {}, {0});
  net.constant("factor", {2, 1, 1}, {-2, 0.5F});
  net.constant("shift", {1, 2, 1, 1}, {3, -1});
  net.node("Relu", "a_relu", {"a_norm"});
  net.node("Clip", "b_clip", {"b_norm", "zero", "six"});
  net.node("Add", "sum", {"a_relu", "b_clip"});
  net.node("Mul", "scaled", {"sum", "factor"});
  net.node("Sub", "turned", {"shift", "scaled"});
  net.node("Relu", "result", {"turned"});
  net.node("Relu", "same", {"sum"});
  const ValueMoments moments = net.moments();
  const auto relu = [](double x) { return std::max(x, 0.0); };
  const auto sum = [&](Rng& rng, size_t c) { return relu(draw_a(rng, c)) + std::clamp(draw_b(rng, c), 0.0, 6.0); };
  expect_drawn(moments.at("a_relu"), [&](Rng& rng, size_t c) { return relu(draw_a(rng, c)); });
  expect_drawn(moments.at("sum"), sum);
  expect_drawn(moments.at("same"), sum);
  const auto turned = [&](Rng& rng, size_t c) { return c == 0 ? 3 + 2 * sum(rng, c) : -1 - 0.5 * sum(rng, c); };
  expect_drawn(moments.at("turned"), turned);
  EXPECT_EQ(moments.at("sum")[0].least, 0);
  EXPECT_EQ(moments.at("turned")[0].least, 3);
  EXPECT_EQ(moments.at("turned")[1].most, -1);
  EXPECT_EQ(moments.at("result")[1].mean(), 0);
}

TEST(PropagateMoments, BoundsPerChannel) {
  Net net;
  net.constant("low", {1, 2, 1, 1}, {0, -1});
  net.constant("high", {1, 2, 1, 1}, {1.5F, 2});
  net.node("Max", "above", {"low", "a_norm"});
  net.node("Min", "between", {"above", "high"});
  const ValueMoments moments = net.moments();
  expect_drawn(moments.at("between"), [](Rng& rng, size_t c) {
    return c == 0 ? std::clamp(draw_a(rng, 0), 0.0, 1.5) : std::clamp(draw_a(rng, 1), -1.0, 2.0);
  });
}

TEST(PropagateMoments, ChannelsAreJoinedKeptAndRepeated) {
  Net net;
  net.node("Concat", "joined", {"a_norm", "b_norm"}).set_attribute("axis", int64_t{1});
  net.node("GlobalAveragePool", "pooled", {"joined"});
  net.node("Flatten", "flat", {"pooled"});
  net.node("Flatten", "wide", {"a_norm"});
  Node& other = net.node("Concat", "beside", {"a_norm", "b_norm"});
  other.set_attribute("axis", int64_t{-1});
  const ValueMoments moments = net.moments();
  ASSERT_EQ(moments.at("flat").size(), 4U);
  EXPECT_EQ(moments.at("flat")[1].centre, -2);
  EXPECT_EQ(moments.at("flat")[2].spread, 2);
  ASSERT_EQ(moments.at("wide").size(), 32U);
  EXPECT_EQ(moments.at("wide")[15].centre, 1);
  EXPECT_EQ(moments.at("wide")[16].centre, -2);
  EXPECT_FALSE(moments.contains("beside"));
}

TEST(PropagateMoments, UnknownIsAbsent) {
  Net net;
  net.constant("weights", {2, 2, 1, 1}, {1, 2, 3, 4});
  net.node("Conv", "conv", {"a_norm", "weights"});
  net.node("Relu", "after", {"conv"});
  net.node("Add", "half_known", {"a_norm", "conv"});
  net.statistics()["no such value"] = {{1}, {1}};
  net.statistics()["half_known"] = {{1, 2, 3}, {1, 2, 3}};
  const ValueMoments moments = net.moments({{"b", {-1, 3}}, {"nobody", {0, 1}}});
  for (const char* name : {"a", "conv", "after", "half_known", "no such value", "nobody"}) {
    EXPECT_FALSE(moments.contains(name)) << name;
  }
  ASSERT_EQ(moments.at("b").size(), 2U);
  EXPECT_EQ(moments.at("b")[1].mean(), 1) << "even density, held to the range";
  EXPECT_EQ(moments.at("b")[1].range(6), (Range{-1, 3}));
}

TEST(NormStatistics, AreBetaAndTheMagnitudeOfGamma) {
  Graph graph;
  const ValueId x = graph.add_value("x", {DType::Float, std::vector<Dim>{1, 2, 3, 3}});
  graph.inputs() = {x};
  const auto constant = [&](const char* name, std::vector<float> values) {
    return graph.add_constant(name, Tensor::from({2}, values));
  };
  const ValueId gamma = constant("gamma", {2, -0.5F}), beta = constant("beta", {-1, 3});
  const ValueId mean = constant("mean", {7, 7}), variance = constant("variance", {9, 9});
  const ValueId y = graph.add_value("y");
  graph.nodes().push_back({"norm", "BatchNormalization", "", {x, gamma, beta, mean, variance}, {y}, {}, {}, {}});
  const NormStatistics statistics = collect_norm_statistics(graph);
  ASSERT_EQ(statistics.size(), 1U);
  EXPECT_EQ(statistics.at("y"), (ChannelMoments{{-1, 3}, {2, 0.5F}}));
}

}  // namespace
}  // namespace halftone::value_moments_test
