// The steps that rewrite the float network, as recipes ask for them: what they do to the workbench.
#include <gtest/gtest.h>

#include <cmath>

#include "halftone/ptq/step.h"
#include "halftone/ptq/test_bench.h"
#include "halftone/sim/interpreter.h"

namespace halftone::ptq::graph_steps_test {
namespace {

using test::Bench;
using test::Net;
using test::random_samples;
using test::random_tensor;

void apply(const std::string& text, Workbench& bench) {
  for (const StepRequest& request : parse_steps(text)) {
    StepWords words(request);
    find_step(request.name).function(&bench, words);
  }
}

// Convolution, Relu, 1x1 convolution; channels of the first that differ by factors of up to 16.
Graph two_layers(const std::string& activation = "Relu") {
  Net net({1, 3, 4, 4});
  Tensor weights = random_tensor({4, 3, 1, 1}, 1);
  for (size_t i = 0; i < 12; ++i) weights.mutable_data<float>()[i] *= std::exp2(static_cast<float>(i / 3) - 2);
  net.layer("Conv", "first", "x", weights, Tensor::from<float>({4}, {2, 3, -1, 4}));
  net.add(activation, "between", {"first"});
  net.layer("Conv", "second", "between", random_tensor({5, 4, 1, 1}, 2), random_tensor({5}, 3));
  return net.finish("second");
}
const NormStatistics kKnown = {{"first", {{2, 3, -1, 4}, {0.5f, 1, 2, 1}}}};

Bench bench_of(const Graph& graph, const std::string& granularity) {
  return Bench(graph, random_samples({1, 3, 4, 4}, 2, 5), make_recipe("int8", "uint8", granularity, "min_max"));
}
std::vector<float> outputs_of(const Graph& graph) {
  const Tensor x = random_tensor({1, 3, 4, 4}, 7, 0.05, 0.1);
  return to_vector<float>(sim::Interpreter(graph).run({{"x", x}}).at(graph.value(graph.outputs()[0]).name));
}
void expect_same_function(const Graph& before, const Graph& after) {
  const std::vector<float> expected = outputs_of(before), found = outputs_of(after);
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-4 * (1 + std::abs(expected[i])));
}
std::vector<float> numbers(const Graph& graph, const std::string& name) {
  return to_vector<float>(*graph.value(graph.find(name)).constant);
}

TEST(EqualizeStep, KeepsTheFunctionAndScalesWhatIsKnownAlong) {
  for (const char* words : {"equalize", "equalize:balance=weights", "equalize:balance=noise"}) {
    SCOPED_TRACE(words);
    Bench made = bench_of(two_layers(), "per_tensor");
    Workbench& bench = made.bench;
    bench.norms = kKnown;
    bench.input_ranges = {{"x", {-1, 1}}};
    const Graph before = bench.reference;
    apply(words, bench);
    expect_same_function(before, bench.reference);
    const std::vector<float> bias_before = numbers(before, "first_b"), bias = numbers(bench.reference, "first_b");
    double moved = 0;
    for (size_t c = 0; c < 4; ++c) {
      const float factor = bias[c] / bias_before[c];
      moved += std::abs(std::log(factor));
      EXPECT_NEAR(bench.norms.at("first").mean[c], kKnown.at("first").mean[c] * factor, 1e-4 * factor);
      EXPECT_NEAR(bench.norms.at("first").deviation[c], kKnown.at("first").deviation[c] * factor, 1e-4 * factor);
    }
    EXPECT_GT(moved, 0.5) << "the channels were not scaled";
  }
}

TEST(EqualizeStep, DoesNothingWhereNoActivationLetsScalesThrough) {
  for (const char* granularity : {"per_tensor", "per_channel"}) {
    Bench made = bench_of(two_layers("Sigmoid"), granularity);
    const std::vector<float> first = numbers(made.bench.reference, "first_w");
    apply("equalize", made.bench);
    EXPECT_EQ(numbers(made.bench.reference, "first_w"), first);
  }
}

// The first layer's results reach 5, but batch normalization's statistics call them small: a channel that was scaled by
// what they say would be cut off.
Graph clipped_layers() {
  Net net({1, 3, 4, 4});
  Tensor weights = random_tensor({4, 3, 1, 1}, 1);
  for (size_t i = 0; i < 12; ++i) weights.mutable_data<float>()[i] *= i < 3 ? 2.0f : 0.5f;
  net.layer("Conv", "first", "x", weights, Tensor::from<float>({4}, {1, 0.5f, 0.5f, 0.5f}));
  net.add("Clip", "between",
          {"first", net.constant("low", Tensor::scalar(0.0f)), net.constant("high", Tensor::scalar(6.0f))});
  net.layer("Conv", "second", "between", random_tensor({5, 4, 1, 1}, 2), random_tensor({5}, 3));
  return net.finish("second");
}

TEST(EqualizeStep, BehindAClipOnlySamplesAreBelieved) {
  for (const bool with_samples : {false, true}) {
    SCOPED_TRACE(with_samples);
    Bench made = bench_of(clipped_layers(), "per_channel");
    Workbench& bench = made.bench;
    bench.norms = {{"first", {{1, 0.5f, 0.5f, 0.5f}, {1, 0.1f, 0.1f, 0.1f}}}};
    bench.input_ranges = {{"x", {-1, 1}}};
    if (!with_samples) bench.samples = nullptr;
    const Graph before = bench.reference;
    apply("equalize", bench);
    EXPECT_EQ(numbers(bench.reference, "first_w") != numbers(before, "first_w"), with_samples);
    for (const Tensor& x : random_samples({1, 3, 4, 4}, 2, 5)) {
      const auto results = [&](const Graph& graph) {
        return to_vector<float>(sim::Interpreter(graph).run({{"x", x}}).at("second"));
      };
      const std::vector<float> expected = results(before), found = results(bench.reference);
      for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-4 * (1 + std::abs(expected[i])));
    }
  }
}

TEST(EqualizeStep, LeastNoiseNeedsBoundsThatStay) {
  const std::array request{StepRequest{"equalize", {{"balance", "noise"}, {"bounds", "replace"}}}};
  try {
    check_steps(request);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("bounds=replace"), std::string::npos) << error.what();
  }
}

// c = max(0, mean - 3 deviation): 0.5, 0, 0 and 1; inputs of the test are small enough for channels to stay above.
TEST(AbsorbBiasStep, MovesTheBiasAndTheMean) {
  Bench made = bench_of(two_layers(), "per_tensor");
  made.bench.norms = kKnown;
  const Graph before = made.bench.reference;
  apply("absorb_bias", made.bench);
  expect_same_function(before, made.bench.reference);
  EXPECT_EQ(numbers(made.bench.reference, "first_b"), (std::vector<float>{1.5f, 3, -1, 3}));
  EXPECT_EQ(made.bench.norms.at("first").mean, (std::vector<float>{1.5f, 3, -1, 3}));
  EXPECT_EQ(made.bench.norms.at("first").deviation, kKnown.at("first").deviation);
}

TEST(AbsorbBiasStep, DoesNothingWithoutStatistics) {
  Bench made = bench_of(two_layers(), "per_tensor");
  const std::vector<float> bias = numbers(made.bench.reference, "first_b");
  apply("absorb_bias", made.bench);
  EXPECT_EQ(numbers(made.bench.reference, "first_b"), bias);
}

TEST(SplitChannelsStep, KeepsTheFunctionAndTheStatistics) {
  Bench made = bench_of(two_layers(), "per_tensor");
  made.bench.norms = kKnown;
  const Graph before = made.bench.reference;
  apply("split_channels:ratio=0.5", made.bench);
  EXPECT_GT(made.bench.reference.nodes().size(), before.nodes().size());
  expect_same_function(before, made.bench.reference);
  EXPECT_EQ(made.bench.norms, kKnown);
}

TEST(SplitChannelsStep, DoesNothingWithARatioOfZero) {
  Bench made = bench_of(two_layers(), "per_tensor");
  const std::vector<float> second = numbers(made.bench.reference, "second_w");
  apply("split_channels:ratio=0", made.bench);
  EXPECT_EQ(numbers(made.bench.reference, "second_w"), second);
}

}  // namespace
}  // namespace halftone::ptq::graph_steps_test
