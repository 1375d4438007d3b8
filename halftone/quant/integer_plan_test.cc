#include "halftone/quant/integer_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cfloat>

#include "tests/support/quantized_net.h"

namespace halftone::integer_plan_test {
namespace {

using test::int8_grid;
using test::NetBuilder;
using test::per_tensor;
using test::uint8_grid;
using test::weight_grid;

// x [1, 2, 4, 4] on a grid, a 1x1 convolution to 2 channels with given weights, and an output on a grid.
struct ConvNet : NetBuilder {
  ConvNet(const std::vector<float>& weights, const QuantParams& weight_params, const std::vector<float>& bias = {},
          const QuantParams& x_params = uint8_grid(0.5F, 128)) {
    std::vector<ValueId> operands = {input("x", {1, 2, 4, 4}, x_params),
                                     constant("w", {2, 2, 1, 1}, weights, weight_params)};
    if (!bias.empty()) operands.push_back(constant("b", {2}, bias));
    conv = node("Conv", operands, "y");
  }
  ValueId conv;
};

std::string refusal(const NetBuilder& net, int node = 0) {
  const IntegerPlan plan = plan_integers(net.model);
  const auto found = plan.refusals.find(node);
  return found == plan.refusals.end() ? "" : found->second;
}

TEST(IntegerPlan, MultipliersAndBiasByChannel) {
  ConvNet net({0.5F, -0.25F, 0.1F, 1.27F}, weight_grid({0.25F, 0.01F}, 0), {0.3F, -1.0F});
  net.encode("y", uint8_grid(0.125F, 7));
  net.output(net.conv);
  const IntegerPlan plan = plan_integers(net.model);
  ASSERT_TRUE(plan.nodes[0].has_value()) << refusal(net);
  const IntegerNode& conv = *plan.nodes[0];
  // 0.5 * 0.25 / 0.125 = 1; 0.5 * 0.01 / 0.125 = 0.04 up to 0.01's own rounding.
  EXPECT_EQ(conv.outputs[0].multipliers, (std::vector<float>{1.0F, 0.04F}));
  // 0.3 / 0.125 = 2.4 -> 2; -1 / 0.005 = -200.
  EXPECT_EQ(conv.bias, (std::vector<int32_t>{2, -200}));
  EXPECT_EQ(centred_weights(conv), (std::vector<int32_t>{2, -1, 10, 127}));
  EXPECT_EQ(conv.outputs[0].low, 0);
  EXPECT_EQ(conv.outputs[0].high, 255);
  EXPECT_EQ(conv.activation, -1);
}

TEST(IntegerPlan, BiasRoundsHalfToEven) {
  // The accumulator's step is 0.5 * 0.5 = 0.25: 0.125 is half a step, 0.375 one and a half.
  ConvNet net({1, 1, 1, 1}, weight_grid({0.5F}, -1), {0.125F, 0.375F});
  EXPECT_EQ(plan_integers(net.model).nodes[0]->bias, (std::vector<int32_t>{0, 2}));
}

TEST(IntegerPlan, WeightsWithZeroPointsAreCentred) {
  QuantParams params = per_tensor(DType::UInt8, 0.5F, 100, 0, 255);
  params.axis = 1;
  params.scale = {0.5F, 0.5F};
  params.zero_point = {100, 0};
  NetBuilder net;
  const ValueId x = net.input("x", {3, 2}, uint8_grid(1, 0));
  net.output(net.node("MatMul", {x, net.constant("w", {2, 2}, {-50, 1, 2, 100}, params)}, "y", int8_grid(1)));
  const IntegerPlan plan = plan_integers(net.model);
  ASSERT_TRUE(plan.nodes[0].has_value()) << refusal(net);
  EXPECT_EQ(centred_weights(*plan.nodes[0]), (std::vector<int32_t>{-100, 2, 4, 200}));
}

TEST(IntegerPlan, WeightsWithZeroPointsByOutputChannel) {
  ConvNet net({-10, 5, 1, 100}, {DType::UInt8, 0, 255, {1, 1}, {20, 3}, 0, 0});
  net.output(net.conv);
  EXPECT_EQ(centred_weights(*plan_integers(net.model).nodes[0]), (std::vector<int32_t>{-10, 5, 1, 100}));
}

TEST(IntegerPlan, ReluAndClipBecomeBoundsOfTheCodes) {
  ConvNet net({1, 1, 1, 1}, weight_grid({0.5F}, -1));
  net.output(net.node("Relu", {net.conv}, "z", int8_grid(0.1F, -20)));
  IntegerPlan plan = plan_integers(net.model);
  ASSERT_TRUE(plan.nodes[0].has_value()) << refusal(net);
  EXPECT_EQ(plan.nodes[0]->activation, 1);
  EXPECT_TRUE(plan.absorbed[1]);
  EXPECT_EQ(plan.nodes[0]->outputs[0].low, -20);
  EXPECT_EQ(plan.nodes[0]->outputs[0].high, 127);
  EXPECT_EQ(plan.nodes[0]->outputs[0].value, net.model.graph.find("z"));

  ConvNet clip({1, 1, 1, 1}, weight_grid({0.5F}, -1));
  clip.output(clip.node("Clip", {clip.conv, clip.constant("lo", {}, {-0.5F}), clip.constant("hi", {}, {6.0F})}, "z",
                        int8_grid(0.1F, -20)));
  plan = plan_integers(clip.model);
  ASSERT_TRUE(plan.nodes[0].has_value());
  EXPECT_EQ(plan.nodes[0]->outputs[0].low, -25);
  EXPECT_EQ(plan.nodes[0]->outputs[0].high, 40);
}

TEST(IntegerPlan, ActivationWithSeveralReadersOrOfAnEncodedValueStaysItself) {
  ConvNet net({1, 1, 1, 1}, weight_grid({0.5F}, -1));
  net.output(net.node("Relu", {net.conv}, "z", uint8_grid(0.1F, 0)));
  net.output(net.conv);
  IntegerPlan plan = plan_integers(net.model);
  EXPECT_FALSE(plan.absorbed[1]);
  EXPECT_FALSE(plan.nodes[0]->outputs[0].grid.has_value());
  EXPECT_EQ(plan.nodes[0]->outputs[0].multipliers, (std::vector<float>{0.25F, 0.25F})) << "real = acc * s_x * s_w";
  EXPECT_FALSE(plan.nodes[1].has_value()) << "its input is real";

  net.encode("y", uint8_grid(0.1F, 100));
  plan = plan_integers(net.model);
  ASSERT_TRUE(plan.nodes[1].has_value());
  EXPECT_EQ(plan.nodes[1]->form, IntegerForm::Activation);
}

TEST(IntegerPlan, AccumulatorsAreProvedToFit) {
  // 66311 * 127 * 255 = 2147481735 is just within 2^31 - 1.
  const int64_t most = INT32_MAX / (127 * 255);
  for (const int64_t length : {most, most + 1}) {
    NetBuilder net;
    const ValueId x = net.input("x", {1, length}, uint8_grid(1, 0));
    const ValueId w =
        net.constant("w", {length, 1}, std::vector<float>(static_cast<size_t>(length), 127), weight_grid({1}, -1));
    net.output(net.node("MatMul", {x, w}, "y", int8_grid(1)));
    EXPECT_EQ(plan_integers(net.model).nodes[0].has_value(), length == most) << length;
    EXPECT_EQ(refusal(net).find("beyond 32 bits") != std::string::npos, length > most) << refusal(net);
  }
  // The zero point matters: codes of 0..255 around 128 are at most 128 away.
  NetBuilder net;
  const ValueId x = net.input("x", {1, most + 1}, uint8_grid(1, 128));
  const ValueId w =
      net.constant("w", {most + 1, 1}, std::vector<float>(static_cast<size_t>(most + 1), 127), weight_grid({1}, -1));
  net.output(net.node("MatMul", {x, w}, "y", int8_grid(1)));
  EXPECT_TRUE(plan_integers(net.model).nodes[0].has_value());
}

TEST(IntegerPlan, GroupsOfAConvTransposeAreProvedApart) {
  // Two groups of one input channel each; only the second group's output channel has weights that overflow.
  const int64_t taps = INT32_MAX / (127 * 255) + 1;
  for (const bool large : {false, true}) {
    NetBuilder net;
    std::vector<float> weights(static_cast<size_t>(2 * taps), 0);
    if (large) std::fill(weights.begin() + taps, weights.end(), 127.0F);
    const ValueId x = net.input("x", {1, 2, 1}, uint8_grid(1, 0));
    net.output(net.node("ConvTranspose", {x, net.constant("w", {2, 1, taps}, weights, weight_grid({1}, -1))}, "y",
                        int8_grid(1), {{"group", int64_t{2}}}));
    EXPECT_EQ(refusal(net).find("channel 1 could reach") != std::string::npos, large) << refusal(net);
  }
}

TEST(IntegerPlan, BiasCountsInTheBound) {
  // Step 0.25; a bias of 2^29 is exactly 2^31 steps, one less than that step still leaves no room for the sum.
  ConvNet beyond({1, 1, 1, 1}, weight_grid({0.5F}, -1), {0, 536870912.0F});
  EXPECT_NE(refusal(beyond).find("beyond 32 bits"), std::string::npos) << refusal(beyond);
  ConvNet full({1, 1, 1, 1}, weight_grid({0.5F}, -1), {0, 536870880.0F});
  EXPECT_NE(refusal(full).find("beyond 32 bits"), std::string::npos) << "2147483520 + 2 * 2 * 128 > 2^31 - 1";
  ConvNet fits({1, 1, 1, 1}, weight_grid({0.5F}, -1), {0, 536870720.0F});
  EXPECT_EQ(refusal(fits), "");
}

TEST(IntegerPlan, TwoActivationsOfSixteenBits) {
  for (const int bits : {8, 16}) {
    NetBuilder net;
    const QuantParams grid = bits == 8 ? int8_grid(0.1F) : per_tensor(DType::Int16, 0.1F, 0, -32768, 32767);
    const ValueId a = net.input("a", {2, 3, 4}, grid), b = net.input("b", {2, 4, 5}, grid);
    net.output(net.node("MatMul", {a, b}, "y", int8_grid(1)));
    EXPECT_EQ(plan_integers(net.model).nodes[0].has_value(), bits == 8);
  }
}

TEST(IntegerPlan, ReasonsForFloat) {
  ConvNet blocks({1, 1, 1, 1}, {DType::Int8, -127, 127, {1, 1, 1, 1}, {0, 0, 0, 0}, 1, 1});
  EXPECT_NE(refusal(blocks).find("scale per block"), std::string::npos) << refusal(blocks);
  ConvNet axis({1, 1, 1, 1}, weight_grid({1, 1}, 1));
  EXPECT_NE(refusal(axis).find("axis 1"), std::string::npos) << refusal(axis);
  ConvNet tiny({1, 1, 1, 1}, weight_grid({FLT_MIN}, -1), {}, uint8_grid(1e-3F, 0));
  EXPECT_NE(refusal(tiny).find("no normal float32"), std::string::npos) << refusal(tiny);

  NetBuilder softmax;
  const ValueId x = softmax.input("x", {1, 4}, uint8_grid(1, 0));
  softmax.output(softmax.node("Softmax", {x}, "y"));
  EXPECT_EQ(refusal(softmax), "there is no integer arithmetic for Softmax");

  NetBuilder only_weights;
  const ValueId real = only_weights.input("x", {1, 2});
  only_weights.output(
      only_weights.node("MatMul", {real, only_weights.constant("w", {2, 2}, {1, 2, 3, 4}, weight_grid({1}, -1))}, "y"));
  EXPECT_EQ(refusal(only_weights), "its input 'x' has no encoding");
}

TEST(IntegerPlan, FunctionsOfOneOperand) {
  NetBuilder net;
  const ValueId x = net.input("x", {2, 3}, uint8_grid(0.1F, 100)), z = net.input("z", {2, 3}, uint8_grid(0.1F, 9));
  const ValueId one = net.constant("one", {}, {1}), row = net.constant("row", {1, 1}, {1});
  net.node("Sigmoid", {x}, "sigmoid", uint8_grid(0.004F, 0));
  net.node("Sub", {one, x}, "difference", int8_grid(0.1F));
  net.node("Max", {x, row, one}, "most", int8_grid(0.1F));
  net.node("Sub", {x, z}, "of_two", int8_grid(0.1F));
  net.node("Sub", {x, x}, "of_one_twice", int8_grid(0.1F));
  net.node("Sub", {x, net.constant("three", {3}, {1, 2, 3})}, "of_many", int8_grid(0.1F));
  net.node("Sub", {x, net.constant("deep", {1, 1, 1}, {1})}, "deeper", int8_grid(0.1F));
  net.node("Sub", {one, row}, "constant", int8_grid(0.1F));
  net.node("Tanh", {x}, "real");
  net.output(net.node("Tanh", {net.input("y", {2})}, "of_real", int8_grid(0.1F)));
  const IntegerPlan plan = plan_integers(net.model);
  for (const size_t i : {0U, 1U, 2U}) {
    ASSERT_TRUE(plan.nodes[i].has_value()) << refusal(net, static_cast<int>(i));
    EXPECT_EQ(plan.nodes[i]->form, IntegerForm::Function);
  }
  EXPECT_FALSE(plan.nodes[1]->inputs[0].has_value());
  EXPECT_EQ(plan.nodes[1]->inputs[1]->zero_point, 100);
  EXPECT_NE(refusal(net, 3).find("two values"), std::string::npos) << refusal(net, 3);
  EXPECT_NE(refusal(net, 4).find("two values"), std::string::npos) << refusal(net, 4);
  EXPECT_NE(refusal(net, 5).find("has 3 elements"), std::string::npos) << refusal(net, 5);
  EXPECT_NE(refusal(net, 6).find("more axes"), std::string::npos) << refusal(net, 6);
  EXPECT_NE(refusal(net, 7).find("constants"), std::string::npos) << refusal(net, 7);
  EXPECT_NE(refusal(net, 8).find("output has no encoding"), std::string::npos) << refusal(net, 8);
  EXPECT_NE(refusal(net, 9).find("'y' has no encoding"), std::string::npos) << refusal(net, 9);
}

TEST(IntegerPlan, NodesWithoutEncodingsAreNotMentioned) {
  NetBuilder net;
  net.output(net.node("Relu", {net.input("x", {1, 4})}, "y"));
  const IntegerPlan plan = plan_integers(net.model);
  EXPECT_FALSE(plan.nodes[0].has_value());
  EXPECT_TRUE(plan.refusals.empty());
}

TEST(IntegerPlan, EncodingsThatContradictTheirConstantAreErrors) {
  ConvNet net({1, 1, 1, 1}, weight_grid({1, 1, 1}, 0));
  try {
    plan_integers(net.model);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::InvalidModel);
    EXPECT_NE(std::string(error.what()).find("'w'"), std::string::npos) << error.what();
  }
}

TEST(Requantize, ClampsBeforeItConverts) {
  EXPECT_EQ(requantize(INT32_MAX, 1e30F, 0, -128, 127), 127);
  EXPECT_EQ(requantize(INT32_MIN, FLT_MAX, 3, -128, 127), -128) << "minus infinity";
  EXPECT_EQ(requantize(5, 0.5F, 10, 0, 255), 12) << "2.5 rounds to the even 2";
  EXPECT_EQ(requantize(7, 0.5F, 10, 0, 255), 14) << "3.5 rounds to the even 4";
  EXPECT_EQ(requantize(-5, 0.5F, 10, 0, 255), 8);
  EXPECT_EQ(requantize(16777217, 1.0F, 0, INT16_MIN, INT16_MAX), INT16_MAX);
}

}  // namespace
}  // namespace halftone::integer_plan_test
