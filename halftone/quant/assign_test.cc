#include "halftone/quant/assign.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/quant/integer_plan.h"

namespace halftone::assign_test {
namespace {

// A network under construction; values are named by their makers.
class Net {
 public:
  ValueId input(const std::string& name, std::vector<Dim> shape) {
    const ValueId id = graph.add_value(name, {DType::Float, std::move(shape)});
    graph.inputs().push_back(id);
    return id;
  }
  ValueId constant(const std::string& name, Shape shape, std::vector<float> values) {
    return graph.add_constant(name, Tensor::from(std::move(shape), values));
  }
  ValueId constant(const std::string& name, Shape shape, float value) {
    const auto count = static_cast<size_t>(element_count(shape));
    return constant(name, std::move(shape), std::vector<float>(count, value));
  }
  Node& node(const std::string& op, const std::string& name, std::vector<ValueId> inputs, int outputs = 1) {
    Node made{name, op, "", std::move(inputs), {}, {}, {}, {}};
    for (int i = 0; i < outputs; ++i) {
      made.outputs.push_back(graph.add_value(i == 0 ? name : name + "_" + std::to_string(i)));
    }
    graph.nodes().push_back(std::move(made));
    return graph.nodes().back();
  }
  ValueId op(const std::string& type, const std::string& name, std::vector<ValueId> inputs) {
    return node(type, name, std::move(inputs)).outputs[0];
  }
  // A 1x1 convolution from `in` to `out` channels.
  ValueId conv(const std::string& name, ValueId x, int64_t in, int64_t out) {
    return op("Conv", name, {x, constant(name + "_w", {out, in, 1, 1}, 0.5F), constant(name + "_b", {out}, 0.25F)});
  }
  QuantPlan plan(ValueId output, const Recipe& recipe = {}) {
    graph.outputs() = {output};
    return plan_quantization(graph, recipe);
  }

  Graph graph;
};

// Names of the values that share a grid, one sorted list per group, sorted.
std::vector<std::vector<std::string>> groups_of(const Net& net, const QuantPlan& plan) {
  std::vector<std::vector<std::string>> groups;
  for (const GridGroup& group : plan.groups) {
    groups.emplace_back();
    for (ValueId id : group.values) groups.back().push_back(net.graph.value(id).name);
    std::sort(groups.back().begin(), groups.back().end());
  }
  std::sort(groups.begin(), groups.end());
  return groups;
}

using Groups = std::vector<std::vector<std::string>>;

QuantizedModel assign_unit_ranges(const Net& net, const QuantPlan& plan) {
  return assign_encodings(net.graph, plan, std::vector<ChannelRanges>(plan.groups.size(), {Range{-1, 1}}));
}

// Every layer with planned weights is indeed computed in integers, and so are the nodes named.
void expect_integers(const QuantizedModel& model, const QuantPlan& plan, const std::vector<std::string>& names) {
  const IntegerPlan integers = plan_integers(model);
  for (const WeightPlan& layer : plan.weights) EXPECT_TRUE(integers.nodes[static_cast<size_t>(layer.node)]);
  for (size_t i = 0; i < model.graph.nodes().size(); ++i) {
    const std::string& name = model.graph.nodes()[i].name;
    if (std::find(names.begin(), names.end(), name) == names.end()) continue;
    EXPECT_TRUE(integers.nodes[i] || integers.absorbed[i]) << name << ": " << integers.refusals.at(static_cast<int>(i));
  }
}

TEST(PlanQuantization, ReluIsAbsorbedAndTheOutputStaysReal) {
  Net net;
  const ValueId x = net.input("x", {Dim("N"), 3, 8, 8});
  const ValueId relu = net.op("Relu", "relu", {net.conv("conv1", x, 3, 4)});
  const QuantPlan plan = net.plan(net.conv("conv2", relu, 4, 2));
  EXPECT_EQ(groups_of(net, plan), (Groups{{"relu"}, {"x"}}));
  ASSERT_EQ(plan.weights.size(), 2U);
  EXPECT_EQ(plan.weights[0].axis, 0);
  EXPECT_EQ(plan.float_reasons.size(), 1U);
  EXPECT_NE(plan.float_reasons.at("conv2").find("output of the network"), std::string::npos);
  expect_integers(assign_unit_ranges(net, plan), plan, {"conv1", "relu", "conv2"});
}

TEST(PlanQuantization, ReluWithAnotherReaderBesideItSharesTheGrid) {
  Net net;
  const ValueId x = net.input("x", {Dim("N"), 3, 8, 8});
  const ValueId conv = net.conv("conv1", x, 3, 3);
  const ValueId relu = net.op("Relu", "relu", {conv});
  const ValueId sum = net.op("Add", "sum", {relu, conv});
  const QuantPlan plan = net.plan(net.conv("conv2", sum, 3, 2));
  EXPECT_EQ(groups_of(net, plan), (Groups{{"conv1", "relu"}, {"sum"}, {"x"}}));
  expect_integers(assign_unit_ranges(net, plan), plan, {"relu", "sum"});
}

TEST(PlanQuantization, ResidualBlockPoolAndClassifier) {
  Net net;
  const ValueId x = net.input("x", {Dim("N"), 3, 8, 8});
  const ValueId stem = net.op("Relu", "stem_relu", {net.conv("stem", x, 3, 4)});
  const ValueId branch = net.conv("branch", stem, 4, 4);
  const ValueId sum = net.op("Add", "sum", {branch, stem});
  const ValueId relu = net.op("Relu", "sum_relu", {sum});
  const ValueId pool = net.op("GlobalAveragePool", "pool", {relu});
  const ValueId flat = net.op("Flatten", "flat", {pool});
  const ValueId fc = net.op("Gemm", "fc", {flat, net.constant("fc_w", {4, 10}, 0.5F), net.constant("fc_b", {10}, 1)});
  const QuantPlan plan = net.plan(fc);
  EXPECT_EQ(groups_of(net, plan), (Groups{{"branch"}, {"flat", "pool"}, {"stem_relu"}, {"sum_relu"}, {"x"}}));
  EXPECT_EQ(plan.weights.back().axis, 1) << "a Gemm without transB has its output channels last";
  for (const GridGroup& group : plan.groups) EXPECT_EQ(group.observed.size(), 1U) << "a Flatten need not be watched";
  expect_integers(assign_unit_ranges(net, plan), plan, {"branch", "sum", "sum_relu", "pool", "flat"});
}

TEST(PlanQuantization, ConcatSharesItsInputsGridAndMaxPoolItsInput) {
  Net net;
  const ValueId x = net.input("x", {Dim("N"), 3, 8, 8});
  const ValueId a = net.conv("a", x, 3, 4);
  const ValueId b = net.op("Relu", "b_relu", {net.conv("b", x, 3, 4)});
  Node& concat = net.node("Concat", "concat", {a, b});
  concat.set_attribute("axis", int64_t{1});
  const ValueId concatenated = concat.outputs[0];
  Node& pool = net.node("MaxPool", "max", {concatenated});
  pool.set_attribute("kernel_shape", std::vector<int64_t>{2, 2});
  const QuantPlan plan = net.plan(net.conv("last", net.graph.nodes().back().outputs[0], 8, 2));
  EXPECT_EQ(groups_of(net, plan), (Groups{{"a", "b_relu", "concat", "max"}, {"x"}}));
  expect_integers(assign_unit_ranges(net, plan), plan, {"concat", "max"});
}

TEST(PlanQuantization, WhatFloatNodesComputeIsRoundedOnlyForIntegerReaders) {
  Net net;
  const ValueId x = net.input("x", {Dim("N"), 3, 8, 8});
  const ValueId conv = net.conv("conv", x, 3, 4);
  const ValueId gate = net.op("Softmax", "gate", {conv});
  const ValueId gated = net.op("Mul", "gated", {conv, gate});
  const QuantPlan plan = net.plan(net.conv("last", gated, 4, 2));
  EXPECT_EQ(groups_of(net, plan), (Groups{{"gated"}, {"x"}}));
  EXPECT_NE(plan.float_reasons.at("gate").find("Softmax"), std::string::npos);
  EXPECT_NE(plan.float_reasons.at("gated").find("'gate' is computed in float"), std::string::npos);
  EXPECT_NE(plan.float_reasons.at("conv").find("only float layers"), std::string::npos);
}

TEST(PlanQuantization, FunctionsOfOneOperandHaveGridsOnBothSides) {
  Net net;
  const ValueId conv = net.conv("conv", net.input("x", {Dim("N"), 3, 8, 8}), 3, 4);
  const ValueId silu = net.op("Mul", "silu", {conv, net.op("Sigmoid", "gate", {conv})});
  const ValueId swish = net.op("HardSwish", "swish", {net.conv("middle", silu, 4, 4)});
  const QuantPlan plan = net.plan(net.conv("last", swish, 4, 2));
  EXPECT_EQ(groups_of(net, plan), (Groups{{"conv"}, {"gate"}, {"middle"}, {"silu"}, {"swish"}, {"x"}}));
  EXPECT_EQ(plan.float_reasons.size(), 1U) << "only the network's output is real";
  expect_integers(assign_unit_ranges(net, plan), plan, {"conv", "gate", "silu", "middle", "swish"});
}

TEST(PlanQuantization, HardSwishInPrimitivesIsInIntegers) {
  Net net;
  const ValueId conv = net.conv("conv", net.input("x", {Dim("N"), 3, 8, 8}), 3, 4);
  const ValueId shifted = net.op("Add", "shifted", {conv, net.constant("three", {}, 3)});
  const ValueId clipped = net.op("Clip", "clipped", {shifted, net.constant("zero", {}, 0), net.constant("six", {}, 6)});
  const ValueId product = net.op("Mul", "product", {conv, clipped});
  const ValueId swish = net.op("Div", "swish", {product, net.constant("divisor", {}, 6)});
  const QuantPlan plan = net.plan(net.conv("last", swish, 4, 2));
  EXPECT_EQ(groups_of(net, plan), (Groups{{"clipped"}, {"conv"}, {"product"}, {"swish"}, {"x"}}));
  expect_integers(assign_unit_ranges(net, plan), plan, {"shifted", "clipped", "product", "swish"});
}

TEST(PlanQuantization, AFunctionAbsorbsItsRelu) {
  Net net;
  const ValueId conv = net.conv("conv", net.input("x", {Dim("N"), 3, 8, 8}), 3, 4);
  const ValueId relu = net.op("Relu", "relu", {net.op("Tanh", "tanh", {conv})});
  const QuantPlan plan = net.plan(net.conv("last", relu, 4, 2));
  EXPECT_EQ(groups_of(net, plan), (Groups{{"conv"}, {"relu"}, {"x"}}));
  expect_integers(assign_unit_ranges(net, plan), plan, {"tanh", "relu"});
}

TEST(PlanQuantization, FunctionsStayFloatWhereTheRecipeOrTheirNatureSaysSo) {
  const Recipe recipe =
      Recipe::from_json(R"({"rules": [{"match": {"op": "Sigmoid"}, "keep": "float"}]})", "recipe.json");
  for (const char* op : {"Sigmoid", "Sqrt", "Reciprocal", "Exp"}) {
    Net net;
    const ValueId conv = net.conv("conv", net.input("x", {Dim("N"), 3, 8, 8}), 3, 4);
    const QuantPlan plan = net.plan(net.conv("last", net.op(op, "function", {conv}), 4, 2), recipe);
    EXPECT_EQ(groups_of(net, plan), (Groups{{"function"}, {"x"}})) << op;
    const std::string reason = std::string(op) == "Sigmoid" ? "rule 1 of the recipe" : "magnify the rounding";
    EXPECT_NE(plan.float_reasons.at("function").find(reason), std::string::npos) << op;
  }
  for (const bool over_constant : {true, false}) {
    Net net;
    const ValueId conv = net.conv("conv", net.input("x", {Dim("N"), 3, 8, 8}), 3, 4);
    const ValueId one = net.constant("one", {}, 1);
    const ValueId quotient = net.op("Div", "quotient", {over_constant ? conv : one, over_constant ? one : conv});
    const QuantPlan plan = net.plan(net.conv("last", quotient, 4, 2));
    EXPECT_EQ(plan.float_reasons.contains("quotient"), !over_constant);
  }
}

TEST(PlanQuantization, MatMulOfTwoActivations) {
  Net net;
  const ValueId x = net.input("x", {Dim("N"), 4, 8});
  const ValueId q = net.op("MatMul", "q", {x, net.constant("wq", {8, 4}, 0.5F)});
  const ValueId k = net.op("MatMul", "k", {x, net.constant("wk", {8, 4}, 0.5F)});
  const QuantPlan plan = net.plan(net.op("MatMul", "scores", {q, net.op("Softmax", "soft", {k})}));
  EXPECT_EQ(groups_of(net, plan), (Groups{{"q"}, {"soft"}, {"x"}}));
  ASSERT_EQ(plan.weights.size(), 2U);
  EXPECT_EQ(plan.weights[0].axis, 1);
}

TEST(PlanQuantization, GraphWithoutIntegerLayersIsLeftAlone) {
  Net net;
  const ValueId x = net.input("x", {Dim("N"), 4});
  const QuantPlan plan = net.plan(net.op("Relu", "relu", {net.op("Add", "sum", {x, x})}));
  EXPECT_TRUE(plan.groups.empty());
  EXPECT_TRUE(plan.weights.empty());
  EXPECT_TRUE(plan.float_reasons.contains("sum"));
  EXPECT_TRUE(plan.float_reasons.contains("relu"));
}

TEST(PlanQuantization, AnActivationAtTheEndStaysFloatWithItsLayersResult) {
  Net net;
  const ValueId conv = net.conv("conv", net.input("x", {Dim("N"), 3, 8, 8}), 3, 4);
  const QuantPlan plan = net.plan(net.op("Relu", "relu", {conv}));
  EXPECT_EQ(groups_of(net, plan), (Groups{{"x"}}));
  EXPECT_EQ(plan.float_reasons.at("relu"), "no integer layer reads its result");
}

TEST(PlanQuantization, TransposedConvolutionsWithGroupsHaveOneScale) {
  for (int64_t groups : {1, 2}) {
    Net net;
    const ValueId x = net.input("x", {Dim("N"), 4, 8, 8});
    Node& up = net.node("ConvTranspose", "up", {x, net.constant("w", {4, 3, 2, 2}, 0.5F)});
    up.set_attribute("group", groups);
    const QuantPlan plan = net.plan(up.outputs[0]);
    ASSERT_EQ(plan.weights.size(), 1U);
    EXPECT_EQ(plan.weights[0].axis, groups == 1 ? 1 : -1);
    expect_integers(assign_unit_ranges(net, plan), plan, {"up"});
  }
}

TEST(PlanQuantization, SharedWeightsMustMeanTheSame) {
  Net net;
  const ValueId x = net.input("x", {Dim("N"), 3, 8, 8});
  const ValueId w = net.constant("w", {3, 3, 1, 1}, 0.5F);
  const ValueId a = net.op("Conv", "a", {x, w});
  const ValueId b = net.op("Conv", "b", {a, w});
  EXPECT_EQ(net.plan(b).weights.size(), 2U);
  const ValueId c = net.op("Conv", "c", {net.op("Add", "sum", {b, w}), net.constant("v", {1, 3, 1, 1}, 1)});
  const QuantPlan plan = net.plan(c);
  EXPECT_EQ(plan.weights.size(), 1U);
  EXPECT_NE(plan.float_reasons.at("a").find("also read by Add 'sum'"), std::string::npos);
}

TEST(PlanQuantization, RecipeRulesOverrideAndUnusedOnesAreNamed) {
  Net net;
  const ValueId x = net.input("x", {Dim("N"), 3, 8, 8});
  const ValueId one = net.op("Relu", "relu1", {net.conv("conv1", x, 3, 4)});
  const ValueId two = net.op("Relu", "relu2", {net.conv("conv2", one, 4, 4)});
  const ValueId three = net.conv("conv3", two, 4, 4);
  const Recipe recipe = Recipe::from_json(R"({"rules": [
      {"match": {"name": "conv2"}, "keep": "float"},
      {"match": {"name": "conv1", "role": "weights"}, "spec": {"type": "int4", "granularity": "per_tensor"}},
      {"match": {"name": "conv1", "role": "activations"}, "spec": {"type": "int8"}},
      {"match": {"op": "Input", "role": "activations"}, "spec": {"observer": "min_max"}},
      {"match": {"name": "conv9"}, "keep": "float"}]})",
                                          "r");
  const QuantPlan plan = net.plan(three, recipe);
  EXPECT_EQ(plan.unused_rules, std::vector<size_t>({4}));
  EXPECT_EQ(groups_of(net, plan), (Groups{{"relu2"}, {"x"}})) << "with conv2 in float, nobody wants relu1 on a grid";
  ASSERT_EQ(plan.weights.size(), 2U);
  EXPECT_EQ(plan.weights[0].spec.bits, 4);
  EXPECT_EQ(plan.weights[0].axis, -1);
  EXPECT_NE(plan.float_reasons.at("conv2").find("rule 1"), std::string::npos);
}

TEST(PlanQuantization, NaNWeightsAndBiasesAreErrorsThatNameTheTensor) {
  for (const char* bad : {"conv_w", "conv_b"}) {
    Net net;
    const ValueId conv = net.conv("conv", net.input("x", {Dim("N"), 3, 8, 8}), 3, 4);
    net.graph.value(net.graph.find(bad)).constant->mutable_data<float>()[1] = NAN;
    try {
      net.plan(conv);
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::InvalidModel);
      EXPECT_NE(e.where().find(bad), std::string::npos) << e.what();
    }
  }
}

// One Conv of 3 channels with the given weights (one input channel) and biases; the input's range is [-1, 1].
QuantizedModel one_conv(std::vector<float> weights, std::vector<float> bias, const Recipe& recipe = {}) {
  Net net;
  const ValueId x = net.input("x", {Dim("N"), 1, 8, 8});
  const ValueId conv =
      net.op("Conv", "conv",
             {x, net.constant("w", {3, 1, 1, 1}, std::move(weights)), net.constant("b", {3}, std::move(bias))});
  return assign_unit_ranges(net, net.plan(conv, recipe));
}

TEST(AssignEncodings, WeightsGetTheirScalesByHand) {
  const QuantizedModel model = one_conv({1.27F, -2.54F, 0.635F}, {0, 0, 0});
  const QuantParams& params = model.encodings.at("w").params;
  EXPECT_EQ(params.axis, 0);
  EXPECT_EQ(params.q_min, -127);
  EXPECT_FLOAT_EQ(params.scale[0], 0.01F);
  EXPECT_FLOAT_EQ(params.scale[1], 0.02F);
  EXPECT_FLOAT_EQ(params.scale[2], 0.005F);
  EXPECT_EQ(params.zero_point, std::vector<int32_t>({0, 0, 0}));
  const QuantizedModel per_tensor =
      one_conv({1.27F, -2.54F, 0.635F}, {0, 0, 0}, make_recipe("int8", "uint8", "per_tensor", "min_max"));
  EXPECT_EQ(per_tensor.encodings.at("w").params.axis, -1);
  EXPECT_FLOAT_EQ(per_tensor.encodings.at("w").params.scale.at(0), 0.02F);
}

TEST(AssignEncodings, DeadChannelsAndLargeBiasesStillFitInt32) {
  const std::vector<std::vector<float>> weights = {
      {1, 0, 1e-30F}, {0, 0, 0}, {1e-37F, 1e-20F, 1}, {1e-45F, 0, 1e-45F}, {1e20F, 1e-20F, 1}};
  const std::vector<std::vector<float>> biases = {{0, 0, 0}, {1, -3, 100}, {1e-30F, 1e9F, -1e-3F}};
  for (const auto& w : weights) {
    for (const auto& b : biases) {
      const QuantizedModel model = one_conv(w, b);
      ASSERT_TRUE(model.encodings.contains("w")) << model.float_reasons.begin()->second;
      const std::vector<float>& scale = model.encodings.at("w").params.scale;
      const double s_x = model.encodings.at("x").params.scale[0];
      for (size_t c = 0; c < 3; ++c) {
        EXPECT_TRUE(std::isnormal(scale[c]) && scale[c] > 0);
        const double step = s_x * double{scale[c]}, steps = std::nearbyint(b[c] / step);
        EXPECT_LE(std::abs(steps), std::ldexp(1.0, 30) * 1.0001);
        // The bias is as exact as float32 itself, or as a millionth of the layer's largest output.
        const double largest = *std::max_element(w.begin(), w.end());
        EXPECT_LE(std::abs(steps * step - b[c]), std::max(std::abs(b[c]) * 1e-7, step * 0.5000001));
        EXPECT_LE(std::min(step, std::abs(steps * step - double{b[c]})),
                  1e-2 * std::max(largest, std::abs(double{b[c]})));
      }
    }
  }
}

TEST(AssignEncodings, ALayerWhoseSumsCouldOverflowStaysFloatWithTheReason) {
  Net net;
  const int64_t k = 70000;
  const ValueId x = net.input("x", {Dim("N"), k});
  const ValueId fc = net.op("MatMul", "fc", {x, net.constant("w", {k, 2}, 1)});
  const QuantizedModel model = assign_encodings(
      net.graph, net.plan(fc), {{Range{0, 1}}});  // all codes at their largest: 70000 * 255 * 127 > 2^31
  EXPECT_FALSE(model.encodings.contains("w"));
  EXPECT_NE(model.float_reasons.at("fc").find("32 bits"), std::string::npos);
}

TEST(AssignEncodings, AsymmetricUnsignedWeightsWork) {
  Recipe recipe;
  recipe.weights = QuantSpec{};
  recipe.weights.granularity = Granularity::PerChannel;
  const QuantizedModel model = one_conv({1.0F, -2.0F, 0.5F}, {1, 1, 1}, recipe);
  const QuantParams& params = model.encodings.at("w").params;
  EXPECT_EQ(params.dtype, DType::UInt8);
  EXPECT_EQ(params.zero_point, std::vector<int32_t>({0, 255, 0}));
}

}  // namespace
}  // namespace halftone::assign_test
