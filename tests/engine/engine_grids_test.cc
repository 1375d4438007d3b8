// Grids that the integer arithmetic has no form for: engine and interpreter compute these layers in float on rounded
// numbers, and agree. All numbers are small multiples of powers of two, so that float sums are exact in any order and
// every bit can be compared.
#include <gtest/gtest.h>

#include "halftone/base/rng.h"
#include "halftone/calibrate/calibration_table.h"
#include "halftone/calibrate/quantize_model.h"
#include "halftone/graph/op_table.h"
#include "halftone/quant/integer_plan.h"
#include "halftone/runtime/session.h"
#include "halftone/sim/interpreter.h"
#include "halftone/transform/fold_qdq.h"
#include "halftone/transform/insert_qdq.h"

namespace halftone {
namespace {

class Net {
 public:
  Net() {
    graph.opset_imports[""] = 21;
    ValueId v = graph.add_value("x", {DType::Float, std::vector<Dim>{Dim("N"), 8, 9, 9}});
    graph.inputs() = {v};
    v = layer("Conv", "conv1", {v, weights("w1", {12, 8, 3, 3}), bias("b1", 12)});
    graph.nodes().back().set_attribute("pads", std::vector<int64_t>{1, 1, 1, 1});
    v = layer("Relu", "relu1", {v});
    v = layer("MaxPool", "pool", {v});
    graph.nodes().back().set_attribute("kernel_shape", std::vector<int64_t>{3, 3});
    graph.nodes().back().set_attribute("strides", std::vector<int64_t>{2, 2});
    v = layer("Conv", "depthwise", {v, weights("w2", {12, 1, 3, 3}), bias("b2", 12)});
    graph.nodes().back().set_attribute("group", int64_t{12});
    v = layer("Conv", "conv3", {v, weights("w3", {6, 12, 1, 1}), bias("b3", 6)});
    v = layer("Relu", "relu3", {v});
    v = layer("Flatten", "flat", {v});
    v = layer("Gemm", "fc", {v, weights("w4", {24, 5}), bias("b4", 5)});
    graph.outputs() = {v};
    infer_shapes(graph);
  }

  Tensor input(uint64_t seed) const {
    Rng random(seed);
    std::vector<float> x(3 * 8 * 9 * 9);
    for (float& v : x) v = static_cast<float>(random.below(128)) / 16 - 4;
    return Tensor::from<float>({3, 8, 9, 9}, x);
  }

  Graph graph;

 private:
  ValueId layer(const char* op, const char* name, std::vector<ValueId> inputs) {
    graph.nodes().push_back({name, op, "", std::move(inputs), {graph.add_value(name)}, {}, {}, {}});
    return graph.nodes().back().outputs[0];
  }
  // Powers of two of either sign, and the first channels' without the smaller ones.
  ValueId weights(const char* name, const Shape& shape) {
    std::vector<float> values(static_cast<size_t>(element_count(shape)));
    for (float& v : values) v = (rng.below(2) == 0 ? 0.5F : -0.5F) / static_cast<float>(1 << rng.below(3));
    return graph.add_constant(name, Tensor::from(shape, values));
  }
  ValueId bias(const char* name, int64_t channels) {
    std::vector<float> values(static_cast<size_t>(channels));
    for (float& v : values) v = static_cast<float>(rng.below(16)) / 8 - 1;
    return graph.add_constant(name, Tensor::from<float>({channels}, values));
  }

  Rng rng = Rng(1);
};

QuantizedModel quantize_net(const Net& net, const Recipe& recipe) {
  const QuantPlan plan = plan_quantization(net.graph, recipe);
  const std::vector<int64_t> counts = range_counts(net.graph, plan);
  std::vector<ChannelRanges> ranges;
  for (int64_t count : counts) {
    ChannelRanges& here = ranges.emplace_back();
    for (int64_t c = 0; c < count; ++c) {
      const float reach = c % 3 == 0 ? 2.0F : c % 3 == 1 ? 4.0F : 8.0F;
      here.push_back({-reach, reach});
    }
  }
  return assign_encodings(net.graph, plan, ranges);
}

Recipe recipe_of(const std::string& weights, const std::string& granularity, const std::string& activations = "") {
  const std::string text = fmt::format(
      R"({{"weights": {{{}, "granularity": "{}"}}, "activations": {{"grid": "power_of_two_scale", "observer": "min_max"{}}}}})",
      weights, granularity, activations);
  return Recipe::from_json(text, "recipe");
}

void expect_equal(const QuantizedModel& model, const Net& net, const std::string& what) {
  const sim::Interpreter interpreter(model);
  for (int threads : {1, 2}) {
    SessionOptions options;
    options.threads = threads;
    const Session session(model, options);
    const TensorMap inputs = {{"x", net.input(3)}};
    const Tensor expected = interpreter.run(inputs).at("fc"), found = session.run(inputs).at("fc");
    EXPECT_TRUE(found.same_as(expected)) << what;
  }
}

int refused(const QuantizedModel& model) {
  int count = 0;
  for (const auto& [position, reason] : plan_integers(model).refusals) {
    const Node& node = model.graph.nodes()[static_cast<size_t>(position)];
    if (!node.is("Conv") && !node.is("Gemm")) continue;
    ++count;
    EXPECT_EQ(model.float_reasons.at(node.name), reason);
    EXPECT_NE(find_encoding(model, node.inputs[1]), nullptr) << node.name << " must keep the grid of its weights";
  }
  return count;
}

TEST(EngineGrids, WeightsWithLevelsAreComputedInFloatOnRoundedNumbers) {
  const Net net;
  for (const char* weights : {R"("type": "int4", "grid": "powers_of_two")", R"("type": "int3", "grid": "codebook")",
                              R"("type": "int8", "grid": "codebook")"}) {
    for (const char* granularity : {"per_tensor", "per_channel", "per_group:5"}) {
      const QuantizedModel model = quantize_net(net, recipe_of(weights, granularity));
      EXPECT_EQ(refused(model), 4) << weights;
      expect_equal(model, net, std::string(weights) + granularity);
    }
  }
}

TEST(EngineGrids, BlocksAreComputedInFloatWhereAnInputAxisHasThem) {
  const Net net;
  const std::string weights = R"("type": "int4", "grid": "power_of_two_scale")";
  const QuantizedModel model = quantize_net(net, recipe_of(weights, "per_block:5"));
  EXPECT_EQ(refused(model), 3) << "the depthwise convolution has scales by channel";
  EXPECT_EQ(find_encoding(model, net.graph.find("w2"))->params.block_size, 0);
  EXPECT_EQ(find_encoding(model, net.graph.find("w4"))->params.scale.size(), 5U * 5);
  expect_equal(model, net, "blocks");
}

TEST(EngineGrids, ActivationsByChannelAreRoundedByChannel) {
  const Net net;
  const std::string weights = R"("type": "int4", "grid": "power_of_two_scale")";
  for (const char* granularity : {"per_channel", "per_group:4"}) {
    const std::string activations = fmt::format(R"(, "granularity": "{}")", granularity);
    const QuantizedModel model = quantize_net(net, recipe_of(weights, "per_channel", activations));
    EXPECT_EQ(find_encoding(model, net.graph.find("x"))->params.scale.size(), 8U);
    EXPECT_EQ(find_encoding(model, net.graph.find("relu1"))->params.axis, 1);
    EXPECT_GE(refused(model), 3);
    expect_equal(model, net, granularity);
    Graph file = insert_qdq(model);
    infer_shapes(file);
    EXPECT_EQ(fold_qdq(std::move(file)).encodings, model.encodings) << "with a batch of unknown size";
  }
}

TEST(EngineGrids, ChannelsOfSeveralWidthsStayIntegersForWeights) {
  const Net net;
  QuantizedModel model = quantize_net(net, recipe_of(R"("type": "int8", "grid": "power_of_two_scale")", "per_channel"));
  for (const char* name : {"w1", "w3"}) {
    QuantParams& params = model.encodings.at(name).params;
    for (size_t c = 0; c < params.scale.size(); ++c) {
      params.channel_bits.push_back(static_cast<int8_t>(c % 6));
      params.scale[c] = 0.125F;
    }
  }
  EXPECT_EQ(refused(model), 0);
  expect_equal(model, net, "channel bits of weights");
  QuantParams& x = model.encodings.at("x").params;
  x = {DType::UInt8, 0, 255, std::vector<float>(8, 0.0625F), std::vector<int32_t>(8, 0), 1};
  x.channel_bits = {0, 1, 2, 3, 5, 6, 7, 8};
  expect_equal(model, net, "channel bits of activations");
}

TEST(EngineGrids, OneLayerOnRangesOfItsRunBesideStaticOnes) {
  const Net net;
  const Recipe recipe = Recipe::from_json(
      R"({"rules": [{"match": {"name": "conv3"}, "range": "dynamic"}, {"match": {"op": "Gemm"}, "range": "dynamic:per_row"}]})",
      "recipe");
  const QuantizedModel model = quantize_net(net, recipe);
  EXPECT_EQ(model.dynamic, (DynamicProducts{{"conv3", DynamicRange::PerTensor}, {"fc", DynamicRange::PerRow}}));
  const IntegerPlan plan = plan_integers(model);
  for (size_t i = 0; i < plan.nodes.size(); ++i) {
    const Node& node = model.graph.nodes()[i];
    const bool product = node.is("Conv") || node.is("Gemm");
    EXPECT_TRUE(!product || plan.nodes[i]) << node.name;
  }
  EXPECT_FALSE(model.float_reasons.contains("conv3"));
  EXPECT_EQ(find_encoding(model, net.graph.find("flat")), nullptr) << "no grid is wanted where ranges are found anew";
  expect_equal(model, net, "dynamic beside static");
}

TEST(EngineGrids, AllLayersOnRangesOfTheirRunNeedNoData) {
  const Net net;
  const Recipe recipe = Recipe::from_json(R"({"rules": [{"match": {"op": "*"}, "range": "dynamic"}]})", "recipe");
  ThreadTeam team(1);
  const QuantizedModel model = quantize_simplified(net.graph, nullptr, recipe, team, silent_progress()).model;
  EXPECT_EQ(model.dynamic.size(), 4U);
  EXPECT_EQ(model.encodings.size(), 4U) << "those of the weights";
  expect_equal(model, net, "dynamic");
}

TEST(EngineGrids, RoundedWeightsAreOnTheirGrid) {
  const Net net;
  const QuantizedModel nearest = quantize_net(net, recipe_of(R"("type": "int3")", "per_tensor"));
  const QuantizedModel drawn =
      quantize_net(net, recipe_of(R"("type": "int3", "rounding": "stochastic:3")", "per_tensor"));
  const Tensor& weights = *drawn.graph.value(drawn.graph.find("w1")).constant;
  const QuantParams& params = drawn.encodings.at("w1").params;
  EXPECT_EQ(params, nearest.encodings.at("w1").params);
  EXPECT_TRUE(fake_quantize(weights, params).same_as(weights));
  EXPECT_FALSE(fake_quantize(*net.graph.value(net.graph.find("w1")).constant, params).same_as(weights));
  expect_equal(drawn, net, "stochastic");
}

}  // namespace
}  // namespace halftone
