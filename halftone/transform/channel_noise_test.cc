#include "halftone/transform/channel_noise.h"

#include <gtest/gtest.h>

#include <cmath>

#include "halftone/graph/op_table.h"
#include "tests/support/test_graph.h"

namespace halftone::transform::channel_noise_test {
namespace {

using test::TestGraph;

// Two 1x1 convolutions of two channels, with a Clip(0, 6) between them where asked for. `norms` names what the first
// one makes.
struct Pair {
  TestGraph net;
  ValueId made;
  explicit Pair(bool clip) {
    ValueId x = net.input("x", test::typed({1, 2, 3, 3}));
    made = x = net("Conv", {x, net.constant(Tensor::from<float>({2, 2, 1, 1}, {8, -2, 0.5f, 0.25f}))});
    if (clip) x = net("Clip", {x, net.constant(Tensor::scalar(0.0f)), net.constant(Tensor::scalar(6.0f))});
    net.graph.outputs() = {net("Conv", {x, net.constant(Tensor::from<float>({2, 2, 1, 1}, {2, 1, -1, 32}))})};
    infer_shapes(net.graph);
  }
  ValueMoments moments(const ChannelMoments& known) const {
    return propagate_moments(net.graph, {{net.graph.value(made).name, known}}, {{"x", {-1, 1}}});
  }
};

// Factors 1 of two layers without anything between them, moments mean 0 and deviations 3 and 0.5, weights 127 steps.
TEST(ChannelNoise, ByHand) {
  const Pair pair(false);
  const ChannelGroups groups(pair.net.graph);
  const ValueMoments moments = pair.moments({{0, 0}, {3, 0.5f}});
  const ChannelNoise noise(pair.net.graph, groups, moments, {8, 16});
  // Outputs of the second layer: variances 4 * 9 + 0.25 and 9 + 1024 * 0.25.
  const double y0 = 36.25, y1 = 265, v0 = 9, v1 = 0.25;
  const double i0 = (4 / y0 + 1 / y1) / 2, i1 = (1 / y0 + 1024 / y1) / 2;
  const double input = 1.0 / 3;  // variance of even density over [-1, 1]
  const double steps = 12 * 127.0 * 127;
  const double of_first = 64 / steps * (i0 + i1) * 2 * input;
  const double of_second = 1024 / steps * (v0 + v1) * (1.0 / 2 + 1.0 / 2);
  const double found = noise.of(std::vector<double>(groups.count(), 1.0));
  // Rounding to 16 bits adds less than a thousandth.
  EXPECT_GT(found, of_first + of_second);
  EXPECT_LT(found, 1.001 * (of_first + of_second));
}

TEST(ChannelNoise, LeastIsLessThanOnesAndThanAnyNeighbour) {
  for (const bool clip : {false, true}) {
    SCOPED_TRACE(clip);
    const Pair pair(clip);
    const ChannelGroups groups(pair.net.graph);
    const ValueMoments moments = pair.moments({{1, 0.5f}, {0.5f, 0.25f}});
    const ChannelNoise noise(pair.net.graph, groups, moments, {8, 8});
    const std::vector<double> least = noise.least();
    const double reached = noise.of(least);
    EXPECT_LT(reached, noise.of(std::vector<double>(groups.count(), 1.0)));
    for (size_t g = 0; g < groups.count(); ++g) {
      if (groups.fixed(g)) {
        EXPECT_EQ(least[g], 1);
        continue;
      }
      for (const double by : {0.5, 2.0}) {
        std::vector<double> other = least;
        other[g] *= by;
        EXPECT_GT(noise.of(other), reached) << "channel " << g << " times " << by;
      }
    }
  }
}

// What the Clip's term says of one channel is the integral over a Laplace distribution's density.
TEST(ChannelNoise, AClipsTermIsTheExpectedChange) {
  const Pair pair(true);
  const ChannelGroups groups(pair.net.graph);
  const ChannelMoments known{{4, 1}, {2, 0.5f}};
  const ValueMoments moments = pair.moments(known);
  const ChannelNoise noise(pair.net.graph, groups, moments, {16, 16});
  const size_t g = groups.group(pair.made, 0);
  // The second layer's outputs have no known variance: what the Clip leaves, through its weights.
  const std::vector<ClippedNormal>& behind =
      moments.at(pair.net.graph.value(pair.net.graph.nodes()[1].outputs[0]).name);
  const double v0 = std::pow(behind[0].deviation(), 2), v1 = std::pow(behind[1].deviation(), 2);
  const double importance = (4 / (4 * v0 + v1) + 1 / (v0 + 1024 * v1)) / 2;
  for (const double factor : {0.5, 0.8, 1.25, 3.0}) {
    SCOPED_TRACE(factor);
    std::vector<double> factors(groups.count(), 1.0);
    factors[g] = factor;
    const double tail = 1.2 * 2 / std::sqrt(2.0), width = 1e-3;
    double change = 0;
    for (double x = 4 - 40 * tail; x < 4 + 40 * tail; x += width) {
      const double density = std::exp(-std::abs(x - 4) / tail) / (2 * tail);
      change += width * density * std::pow(std::min(x, 6.0) - std::min(x, 6 / factor), 2);
    }
    // 16 bits of rounding are nothing beside it.
    EXPECT_NEAR(noise.of(factors), importance * change, 1e-3 * importance * change + 1e-6);
  }
}

}  // namespace
}  // namespace halftone::transform::channel_noise_test
