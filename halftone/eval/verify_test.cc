// The engine against the reference on small networks, and that a difference is seen and found where it is made: the
// sessions under test are made from networks with one constant changed.

#include "halftone/eval/verify.h"

#include <gtest/gtest.h>

#include "halftone/eval/inputs.h"
#include "tests/support/quantized_net.h"

namespace halftone::eval::verify_test {
namespace {

using test::NetBuilder;

constexpr int64_t kSamples = 6;

// Holds sessions that run `engine` against `model`.
Verification verify(const QuantizedModel& model, const QuantizedModel& engine, RequantizeMode mode, int threads = 1) {
  Verifier verifier(model, mode);
  const Session shown(engine, verifier.showing(threads));
  SessionOptions options;
  options.requantize = mode;
  const Session plain(engine, options);
  for (int64_t i = 0; i < kSamples; ++i) verifier.check(shown, plain, probing_inputs(model, 1, i));
  return verifier.result();
}

const VerifiedTensor& layer_of(const Verification& result, const std::string& name) {
  for (const VerifiedTensor& layer : result.layers) {
    if (layer.name == name && layer.op != "Output") return layer;
  }
  ADD_FAILURE() << name << " was not verified";
  return result.layers.at(0);
}

class VerifyModes : public ::testing::TestWithParam<RequantizeMode> {};
INSTANTIATE_TEST_SUITE_P(Modes, VerifyModes, ::testing::Values(RequantizeMode::Float, RequantizeMode::Dyadic));

TEST_P(VerifyModes, TheEngineEqualsTheReference) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    Rng rng(seed);
    const QuantizedModel model = test::random_network(rng);
    const Verification result = verify(model, model, GetParam(), 1 + static_cast<int>(seed % 3));
    EXPECT_EQ(result.samples, kSamples);
    for (const VerifiedTensor& layer : result.layers) {
      EXPECT_EQ(layer.mismatched_bytes, 0) << layer.name;
      EXPECT_TRUE(layer.exact) << layer.name;
      EXPECT_FALSE(layer.first) << layer.name;
      EXPECT_GT(layer.elements, 0) << layer.name;
    }
    // Every grid of an activation, the logits, which are sums, and what the caller gets.
    size_t tensors = 2;
    for (const auto& [name, encoding] : model.encodings) {
      tensors += !model.graph.value(model.graph.find(name)).constant.has_value();
    }
    EXPECT_EQ(result.layers.size(), tensors);
  }
}

// Such values are floats to the engine, rounded to what their codes stand for.
TEST_P(VerifyModes, GridsByChannelAreHeldAgainstTheReference) {
  const QuantParams by_channel = {DType::UInt8, 0, 255, {0.02F, 0.03F, 0.05F}, {128, 100, 7}, 1, 0};
  NetBuilder net;
  const ValueId x = net.input("x", {1, 3, 4, 4}, by_channel);
  net.output(net.node("Relu", {net.node("Abs", {x}, "abs", by_channel)}, "y"));
  const Verification result = verify(net.model, net.model, GetParam());
  EXPECT_EQ(result.mismatched_bytes(), 0);
  EXPECT_EQ(layer_of(result, "x").elements, kSamples * 48);
  EXPECT_EQ(layer_of(result, "abs").elements, kSamples * 48);
}

TEST_P(VerifyModes, AWrongConstantIsFoundInItsLayerAlone) {
  Rng rng(3);
  const QuantizedModel model = test::random_network(rng);
  QuantizedModel damaged = model;
  Value& weights = damaged.graph.value(damaged.graph.find("layer1.w"));
  Tensor changed = *weights.constant;
  changed.mutable_data<float>()[5] += 0.3F;
  weights.constant = changed;

  const Verification result = verify(model, damaged, GetParam());
  EXPECT_GT(result.mismatched_bytes(), 0);
  std::string first;
  for (const VerifiedTensor& layer : result.layers) {
    if (layer.mismatched_bytes == 0) continue;
    // What the layer makes: its sum, the residual's, or the activation's result where they are one. No later layer's.
    EXPECT_TRUE(layer.name.starts_with("layer1")) << layer.name;
    ASSERT_TRUE(layer.first.has_value());
    EXPECT_NE(layer.first->expected, layer.first->found);
    EXPECT_LT(layer.first->sample, kSamples);
  }
}

TEST(Verify, AWrongOutputOfThePlainSessionIsSeen) {
  Rng rng(5);
  const QuantizedModel model = test::random_network(rng);
  QuantizedModel damaged = model;
  Value& bias = damaged.graph.value(damaged.graph.find("fc.b"));
  Tensor changed = *bias.constant;
  changed.mutable_data<float>()[2] += 1.0F;
  bias.constant = changed;

  Verifier verifier(model);
  const Session shown(model, verifier.showing(1));
  const Session plain(damaged);
  verifier.check(shown, plain, probing_inputs(model, 1, 0));
  for (const VerifiedTensor& layer : verifier.result().layers) {
    EXPECT_EQ(layer.mismatched_bytes > 0, layer.op == "Output") << layer.name;
    if (layer.op == "Output") {
      EXPECT_EQ(layer.first->element, 2);
    }
  }
}

// A convolution in float between quantized values: its codes may be one off, and nothing else may.
QuantizedModel float_layer_between(Rng& rng, float shift) {
  NetBuilder net;
  const ValueId x = net.input("x", {1, 4, 6, 6}, test::uint8_grid(0.02F, 100));
  std::vector<float> weights = test::random_floats(rng, 4 * 4 * 9, -0.5, 0.5);
  weights[0] += shift;
  const ValueId w = net.constant("w", {4, 4, 3, 3}, weights);
  const ValueId y = net.node("Conv", {x, w}, "y", test::int8_grid(0.02F));
  net.output(net.node("MaxPool", {y}, "z", test::int8_grid(0.02F), {{"kernel_shape", std::vector<int64_t>{2, 2}}}));
  return net.model;
}

TEST(Verify, CodesThatAreMadeInFloatMayBeOneOff) {
  Rng same(1), again(1), close(1), other(1);
  const QuantizedModel model = float_layer_between(same, 0);
  const Verification right = verify(model, float_layer_between(again, 0), RequantizeMode::Float);
  EXPECT_EQ(right.mismatched_bytes(), 0);
  EXPECT_FALSE(layer_of(right, "y").exact);
  EXPECT_TRUE(layer_of(right, "z").exact);

  // A change of at most 0.8 steps.
  const Verification near = verify(model, float_layer_between(close, 0.005F), RequantizeMode::Float);
  EXPECT_EQ(near.mismatched_bytes(), 0);
  EXPECT_GT(layer_of(near, "y").off_by_one, 0);

  const Verification wrong = verify(model, float_layer_between(other, 0.2F), RequantizeMode::Float);
  EXPECT_GT(layer_of(wrong, "y").mismatched_bytes, 0);
  EXPECT_EQ(layer_of(wrong, "z").mismatched_bytes, 0);
}

}  // namespace
}  // namespace halftone::eval::verify_test
