#include <gtest/gtest.h>

#include <cmath>

#include "halftone/base/error.h"
#include "halftone/ptq/bias/correct.h"
#include "halftone/ptq/test_bench.h"
#include "halftone/quant/integer_plan.h"
#include "halftone/sim/interpreter.h"

namespace halftone::ptq::empirical_test {
namespace {

using test::Bench;
using test::Net;
using test::random_samples;
using test::random_tensor;

const Recipe kCoarse = make_recipe("int3", "uint8", "per_channel", "min_max");

// The mean over samples and positions of each channel of a value, by the reference interpreter.
std::vector<double> means(const Graph& graph, const std::string& name, const std::vector<Tensor>& samples,
                          size_t axis) {
  const sim::Interpreter interpreter(graph);
  std::vector<double> sums;
  double count = 0;
  for (const Tensor& sample : samples) {
    interpreter.run({{"x", sample}}, [&](std::string_view seen, const Tensor& value, const Tensor*) {
      if (seen != name) return;
      const Shape& shape = value.shape();
      sums.resize(static_cast<size_t>(shape[axis]), 0.0);
      const int64_t inner = contiguous_strides(shape)[axis];
      const auto numbers = value.data<float>();
      for (size_t i = 0; i < numbers.size(); ++i) {
        sums[i / static_cast<size_t>(inner) % sums.size()] += double{numbers[i]};
      }
      count += static_cast<double>(numbers.size()) / static_cast<double>(sums.size());
    });
  }
  for (double& sum : sums) sum /= count;
  return sums;
}

double error_of(const Bench& made, const std::string& name, const std::vector<Tensor>& samples, size_t axis = 1) {
  const auto expected = means(made.bench.reference, name, samples, axis);
  const auto found = means(with_rounded_weights(made.bench.model), name, samples, axis);
  double worst = 0;
  for (size_t c = 0; c < expected.size(); ++c) worst = std::max(worst, std::abs(expected[c] - found[c]));
  EXPECT_FALSE(expected.empty());
  return worst;
}

struct Case {
  std::string title;
  Graph graph;
  Shape sample;
  std::vector<std::string> layers;
  size_t axis = 1;
};

Case conv_case(bool bias) {
  Net net({Dim("N"), 3, 6, 5});
  std::optional<Tensor> b;
  if (bias) b = random_tensor({4}, 2);
  net.layer("Conv", "c", "x", random_tensor({4, 3, 3, 3}, 1), b)
      .set_attribute("pads", std::vector<int64_t>{1, 1, 1, 1});
  net.add("Relu", "r", {"c"});
  net.layer("Conv", "d", "r", random_tensor({5, 4, 1, 1}, 3));
  return {bias ? "convolutions" : "no bias", net.finish("d"), {1, 3, 6, 5}, {"c", "d"}};
}

Case depthwise_case() {
  Net net({Dim("N"), 4, 7, 3});
  Node& node = net.layer("Conv", "c", "x", random_tensor({4, 1, 3, 3}, 1), random_tensor({4}, 2));
  node.set_attribute("group", int64_t{4});
  net.add("Relu", "r", {"c"});
  Node& up = net.layer("ConvTranspose", "t", "r", random_tensor({4, 3, 2, 2}, 4));
  up.set_attribute("group", int64_t{2});
  net.layer("Conv", "d", "t", random_tensor({2, 6, 1, 1}, 5));
  return {"depthwise and transposed", net.finish("d"), {1, 4, 7, 3}, {"c", "t", "d"}};
}

Case branching_case() {
  Net net({Dim("N"), 3, 5, 5});
  net.layer("Conv", "a", "x", random_tensor({4, 3, 1, 1}, 1), random_tensor({4}, 2));
  net.layer("Conv", "b", "a", random_tensor({4, 4, 1, 1}, 3), random_tensor({4}, 4));
  net.add("Add", "sum", {"a", "b"});
  net.add("Relu", "r", {"sum"});
  net.add("Concat", "cat", {"r", "a"}).set_attribute("axis", int64_t{1});
  net.layer("Conv", "d", "cat", random_tensor({2, 8, 1, 1}, 5));
  return {"residual and concatenated", net.finish("d"), {1, 3, 5, 5}, {"a", "b", "d"}};
}

Case product_case() {
  Net net({Dim("N"), 6});
  net.layer("MatMul", "m", "x", random_tensor({6, 5}, 1));
  net.constant("k", random_tensor({5}, 2));
  net.add("Add", "s", {"m", "k"});
  net.add("Relu", "r", {"s"});
  net.layer("MatMul", "n", "r", random_tensor({5, 7}, 3));
  net.layer("Gemm", "g", "n", random_tensor({4, 7}, 4)).set_attribute("transB", int64_t{1});
  return {"matrix products", net.finish("g"), {1, 6}, {"s", "n", "g"}};
}

std::vector<Case> cases() {
  return {conv_case(true), conv_case(false), depthwise_case(), branching_case(), product_case()};
}

TEST(CorrectBias, EveryLayersMeanIsTheFloatNetworks) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.title);
    const auto samples = random_samples(c.sample, 7, 100);
    Bench made(c.graph, samples, kCoarse);
    double before = 0;
    for (const std::string& layer : c.layers) before += error_of(made, layer, samples, c.axis);
    EXPECT_GT(before, 0.05);
    correct_bias_empirically(made.bench, "*", 1000);
    for (const std::string& layer : c.layers) EXPECT_LT(error_of(made, layer, samples, c.axis), 1e-5) << layer;
    EXPECT_NO_THROW(verify(made.bench.model.graph));
  }
}

TEST(CorrectBias, LayersStayInIntegers) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.title);
    Bench made(c.graph, random_samples(c.sample, 3, 100), kCoarse);
    const auto planned = [&] {
      std::set<std::string> names;
      for (const auto& node : plan_integers(made.bench.model).nodes) {
        if (node) names.insert(made.bench.model.graph.nodes()[static_cast<size_t>(node->node)].name);
      }
      return names;
    };
    const auto before = planned();
    correct_bias_empirically(made.bench, "*", 1000);
    EXPECT_EQ(planned(), before);
  }
}

// One channel, hand-computed: weights 0.3 and 1 on a grid of steps of 1/3 become 1/3 and 1; inputs are 3 and 3 on
// average, so the result is 0.1 too large.
TEST(CorrectBias, HandComputed) {
  Net net({Dim("N"), 2, 1, 1});
  net.layer("Conv", "c", "x", Tensor::from<float>({1, 2, 1, 1}, std::vector<float>{0.3f, 1.0f}),
            Tensor::from<float>({1}, std::vector<float>{0.5f}));
  const std::vector<Tensor> samples = {Tensor::from<float>({1, 2, 1, 1}, std::vector<float>{2, 7}),
                                       Tensor::from<float>({1, 2, 1, 1}, std::vector<float>{4, -1})};
  Bench made(net.finish("c"), samples, kCoarse);
  correct_bias_empirically(made.bench, "*", 1000);
  EXPECT_NEAR(made.bench.model.graph.value(made.bench.model.graph.find("c_b")).constant->data<float>()[0], 0.4f, 1e-6);
}

// y = w2 * relu(w1 * x + b1): with the first layer corrected the second one's error is that of its own weight only. In
// one go both would be corrected for the first one's error, which is then gone.
TEST(CorrectBias, LaterLayersSeeEarlierCorrections) {
  Net net({Dim("N"), 1, 1, 2});
  const auto weight = [](std::vector<float> w) {
    return Tensor::from<float>({static_cast<int64_t>(w.size()), 1, 1, 1}, std::move(w));
  };
  net.layer("Conv", "c", "x", random_tensor({1, 1, 1, 2}, 1, 0, 0.3), weight({0.0f}).reshaped({1}));
  net.graph.value(net.graph.find("c_w")).constant->mutable_data<float>()[1] = 1.0f;
  net.layer("Conv", "d", "c", weight({1.0f}), weight({0.0f}).reshaped({1}));
  const std::vector<Tensor> samples = {Tensor::from<float>({1, 1, 1, 2}, std::vector<float>{3, 3})};
  Bench made(net.finish("d"), samples, kCoarse);
  correct_bias_empirically(made.bench, "*", 1000);
  const Graph& graph = made.bench.model.graph;
  EXPECT_NEAR(graph.value(graph.find("c_b")).constant->data<float>()[0], -0.1f, 1e-6);
  EXPECT_NEAR(graph.value(graph.find("d_b")).constant->data<float>()[0], 0.0f, 1e-6) << "its own weight is exact";
}

TEST(CorrectBias, DeadChannelsAndConstantActivationsAreLeftInOrder) {
  Net net({Dim("N"), 3, 4, 4});
  Tensor weights = random_tensor({4, 3, 1, 1}, 1), bias = random_tensor({4}, 2);
  for (size_t i = 3; i < 6; ++i) weights.mutable_data<float>()[i] = 0;
  bias.mutable_data<float>()[1] = -2;
  net.layer("Conv", "c", "x", weights, bias);
  net.add("Relu", "r", {"c"});
  net.layer("Conv", "d", "r", random_tensor({2, 4, 1, 1}, 3));
  Tensor constant(DType::Float, {1, 3, 4, 4});
  for (float& v : constant.mutable_data<float>()) v = 0.75f;
  Bench made(net.finish("d"), {constant}, kCoarse);
  correct_bias_empirically(made.bench, "*", 1000);
  const Graph& graph = made.bench.model.graph;
  EXPECT_EQ(graph.value(graph.find("c_b")).constant->data<float>()[1], -2.0f);
  EXPECT_LT(error_of(made, "d", {constant}), 1e-5);
}

TEST(CorrectBias, ThreadsBatchesAndStoredStagesMakeNoDifference) {
  const Case c = branching_case();
  const auto samples = random_samples(c.sample, 9, 100);
  const auto biases = [&](int threads) {
    Bench made(c.graph, samples, kCoarse, threads);
    correct_bias_empirically(made.bench, "*", 1000);
    const Graph& graph = made.bench.model.graph;
    std::vector<float> all;
    for (const char* name : {"a_b", "b_b", "d_w_bias"}) {
      const auto numbers = graph.value(graph.find(name)).constant->data<float>();
      all.insert(all.end(), numbers.begin(), numbers.end());
    }
    return all;
  };
  EXPECT_EQ(biases(1), biases(2));
  EXPECT_EQ(biases(1), biases(5));
}

TEST(CorrectBias, PatternsChooseLayers) {
  const Case c = conv_case(true);
  const auto samples = random_samples(c.sample, 3, 100);
  Bench made(c.graph, samples, kCoarse);
  correct_bias_empirically(made.bench, "c*", 1000);
  EXPECT_LT(error_of(made, "c", samples), 1e-5);
  EXPECT_GT(error_of(made, "d", samples), 1e-3);
}

TEST(CorrectBias, DataIsRequired) {
  const Case c = conv_case(true);
  Bench made(c.graph, random_samples(c.sample, 1, 100), kCoarse);
  made.bench.samples = nullptr;
  EXPECT_THROW(correct_bias_empirically(made.bench, "*", 1000), Error);
}

}  // namespace
}  // namespace halftone::ptq::empirical_test
