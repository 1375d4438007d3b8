#include "halftone/runtime/freeze.h"

#include <gtest/gtest.h>

#include "tests/support/quantized_net.h"

namespace halftone::runtime::freeze_test {
namespace {

using test::int8_grid;
using test::NetBuilder;
using test::uint8_grid;
using test::weight_grid;

// Conv in integers, and a Conv on the same weights whose input has no grid.
struct SharedWeights : NetBuilder {
  explicit SharedWeights(bool float_reader) {
    const ValueId x = input("x", {1, 2, 3, 3}, uint8_grid(0.1F, 3)), z = input("z", {1, 2, 3, 3});
    const ValueId w = constant("w", {2, 2, 1, 1}, {0.51F, -0.2F, 0.3F, 0.09F}, weight_grid({0.1F}, -1));
    output(node("Conv", {x, w}, "y", int8_grid(0.1F)));
    output(node("Conv", {float_reader ? z : x, w}, "v"));
  }
  const std::optional<Tensor>& weights(const FrozenModel& frozen) {
    return frozen.model.graph.value(frozen.model.graph.find("w")).constant;
  }
};

TEST(Freeze, DropsWeightsThatIntegersAloneRead) {
  SharedWeights net(false);
  const FrozenModel frozen = freeze(net.model, {}, RequantizeMode::Float);
  EXPECT_FALSE(net.weights(frozen).has_value());
  EXPECT_EQ(centred_weights(frozen.integers.at("y")), (std::vector<int32_t>{5, -2, 3, 1}));
  EXPECT_TRUE(frozen.integers.contains("v"));
}

TEST(Freeze, RoundsWeightsThatFloatReadsToo) {
  SharedWeights net(true);
  const FrozenModel frozen = freeze(net.model, {}, RequantizeMode::Float);
  ASSERT_TRUE(net.weights(frozen).has_value());
  EXPECT_EQ(to_vector<float>(*net.weights(frozen)), (std::vector<float>{5 * 0.1F, -2 * 0.1F, 3 * 0.1F, 1 * 0.1F}));
  EXPECT_EQ(frozen.refusals.at("v"), "its input 'z' has no encoding");
}

TEST(Freeze, TheTapOfAWeightKeepsIt) {
  SharedWeights net(false);
  EXPECT_TRUE(net.weights(freeze(net.model, {"w"}, RequantizeMode::Float)).has_value());
}

TEST(Freeze, IntegerNodesSurviveThePasses) {
  // Without the plan, the normalization would go into the weights, and Identity would vanish.
  NetBuilder net;
  const ValueId x = net.input("x", {1, 1, 2, 2}, uint8_grid(0.1F, 3));
  const ValueId w = net.constant("w", {1, 1, 1, 1}, {0.5F}, weight_grid({0.1F}, -1));
  const ValueId one = net.constant("one", {1}, {2}), zero = net.constant("zero", {1}, {0.5F});
  const ValueId sum = net.node("Conv", {x, w}, "sum");
  const ValueId normal = net.node("BatchNormalization", {sum, one, zero, zero, one}, "normal", int8_grid(0.2F));
  net.output(net.node("Identity", {normal}, "y", int8_grid(0.3F)));
  const FrozenModel frozen = freeze(net.model, {}, RequantizeMode::Dyadic);
  EXPECT_EQ(frozen.model.graph.nodes().size(), 3U);
  EXPECT_TRUE(frozen.integers.contains("sum"));
  EXPECT_EQ(frozen.integers.at("y").outputs[0].mode, RequantizeMode::Dyadic);
}

}  // namespace
}  // namespace halftone::runtime::freeze_test
