#include "halftone/ptq/weights/correct.h"

#include <gtest/gtest.h>

#include <cmath>

#include "halftone/ptq/channel_statistics.h"
#include "halftone/ptq/test_bench.h"
#include "halftone/quant/integer_plan.h"

namespace halftone::ptq::correct_test {
namespace {

using test::Bench;
using test::Net;
using test::random_samples;
using test::random_tensor;

const Recipe kCoarse = make_recipe("int3", "uint8", "per_channel", "min_max");

Graph two_layers() {
  Net net({Dim("N"), 3, 5, 5});
  net.layer("Conv", "c", "x", random_tensor({4, 3, 1, 1}, 1), random_tensor({4}, 2));
  net.add("Relu", "r", {"c"});
  net.layer("Conv", "d", "r", random_tensor({2, 4, 3, 3}, 3));
  return net.finish("d");
}

const Tensor& constant(const Graph& graph, const std::string& name) { return *graph.value(graph.find(name)).constant; }

struct Moments {
  double mean = 0, norm = 0;
};
Moments channel_of(const Tensor& weights, size_t channel) {
  const size_t each = static_cast<size_t>(weights.size() / weights.dim(0));
  Moments m;
  for (size_t i = 0; i < each; ++i) m.mean += double{weights.data<float>()[channel * each + i]} / double(each);
  for (size_t i = 0; i < each; ++i) m.norm += std::pow(double{weights.data<float>()[channel * each + i]} - m.mean, 2);
  m.norm = std::sqrt(m.norm);
  return m;
}

std::map<std::string, std::vector<std::pair<double, double>>> moments(const Graph& graph, const Bench& made) {
  std::map<std::string, std::vector<std::pair<double, double>>> all;
  Samples samples = made.samples;
  ThreadTeam team(1);
  ValueNodes values;
  for (const Node& node : graph.nodes()) {
    if (node.is("Conv")) values[node.name] = &node;
  }
  for (const auto& [name, s] : statistics_of(graph, values, samples.kept(), team)) {
    for (size_t c = 0; c < s.channels(); ++c) all[name].emplace_back(s.mean(c), s.deviation(c));
  }
  return all;
}

TEST(CorrectWeights, NormsAreThoseOfTheFloatWeightsAndWeightsStayOnTheirGrid) {
  Bench made(two_layers(), random_samples({1, 3, 5, 5}, 6, 100), kCoarse);
  const auto codes_before =
      quantize(constant(made.bench.model.graph, "d_w"), made.bench.model.encodings.at("d_w").params);
  correct_weights(made.bench, "*", 1000);
  for (const char* name : {"c_w", "d_w"}) {
    const QuantParams& params = made.bench.model.encodings.at(name).params;
    const Tensor& weights = constant(made.bench.model.graph, name);
    EXPECT_TRUE(fake_quantize(weights, params).same_as(weights)) << name;
    for (size_t c = 0; c < params.scale.size(); ++c) {
      const Moments real = channel_of(constant(made.bench.reference, name), c), found = channel_of(weights, c);
      EXPECT_NEAR(found.norm, real.norm, 1e-5 * real.norm) << name << " " << c;
    }
  }
  EXPECT_TRUE(quantize(constant(made.bench.model.graph, "d_w"), made.bench.model.encodings.at("d_w").params)
                  .same_as(codes_before));
}

// Inputs that are the same everywhere: then the mean offset times the mean input is all there is to say about the mean.
// A 1x1 convolution of a constant 2 by weights w: the float result is 2 * sum w + b, and so is the corrected one's when
// the weights' mean is made up for.
TEST(CorrectWeights, TheMeanGoesIntoTheBias) {
  Net net({Dim("N"), 3, 2, 2});
  net.layer("Conv", "c", "x", random_tensor({4, 3, 1, 1}, 1), random_tensor({4}, 2));
  Tensor two(DType::Float, {1, 3, 2, 2});
  for (float& v : two.mutable_data<float>()) v = 2;
  Bench made(net.finish("c"), {two}, kCoarse);
  const auto expected = moments(made.bench.reference, made).at("c");
  double before = 0;
  const auto uncorrected = moments(with_rounded_weights(made.bench.model), made).at("c");
  for (size_t c = 0; c < 4; ++c) before += std::abs(expected[c].first - uncorrected[c].first);
  EXPECT_GT(before, 0.1);
  correct_weights(made.bench, "*", 1000);
  const auto found = moments(with_rounded_weights(made.bench.model), made).at("c");
  for (size_t c = 0; c < 4; ++c) EXPECT_NEAR(expected[c].first, found[c].first, 1e-5);
}

TEST(CorrectWeights, DeadChannelsAndOneScaleForAllAreLeftInOrder) {
  for (const char* granularity : {"per_channel", "per_tensor"}) {
    Net net({Dim("N"), 3, 2, 2});
    Tensor weights = random_tensor({4, 3, 1, 1}, 1);
    for (size_t i = 3; i < 6; ++i) weights.mutable_data<float>()[i] = 0;
    net.layer("Conv", "c", "x", weights, random_tensor({4}, 2));
    Bench made(net.finish("c"), random_samples({1, 3, 2, 2}, 4, 9),
               make_recipe("int3", "uint8", granularity, "min_max"));
    const auto before = made.bench.model.encodings.at("c_w").params.scale;
    correct_weights(made.bench, "*", 1000);
    const auto after = made.bench.model.encodings.at("c_w").params.scale;
    EXPECT_NO_THROW(check_params(made.bench.model.encodings.at("c_w").params, {4, 3, 1, 1}, "c_w"));
    if (after.size() == 1)
      EXPECT_EQ(after, before);
    else
      EXPECT_EQ(after[1], before[1]);
    EXPECT_TRUE(plan_integers(made.bench.model).refusals.empty());
  }
}

TEST(ReestimateBatchNorm, MeansAndDeviationsAreTheFloatNetworks) {
  Bench made(two_layers(), random_samples({1, 3, 5, 5}, 6, 100), kCoarse);
  reestimate_batch_norm(made.bench, "*", 1000);
  const auto expected = moments(made.bench.reference, made);
  const auto found = moments(with_rounded_weights(made.bench.model), made);
  for (const char* name : {"c", "d"}) {
    for (size_t c = 0; c < expected.at(name).size(); ++c) {
      EXPECT_NEAR(found.at(name)[c].first, expected.at(name)[c].first, 1e-4) << name << " " << c;
      EXPECT_NEAR(found.at(name)[c].second, expected.at(name)[c].second, 1e-4) << name << " " << c;
    }
    const Tensor& weights = constant(made.bench.model.graph, std::string(name) + "_w");
    EXPECT_TRUE(
        fake_quantize(weights, made.bench.model.encodings.at(std::string(name) + "_w").params).same_as(weights));
  }
}

TEST(ReestimateBatchNorm, ThreadsMakeNoDifference) {
  const auto scales = [](int threads) {
    Bench made(two_layers(), random_samples({1, 3, 5, 5}, 6, 100), kCoarse, threads);
    reestimate_batch_norm(made.bench, "*", 1000);
    return made.bench.model.encodings;
  };
  EXPECT_EQ(scales(1), scales(3));
}

}  // namespace
}  // namespace halftone::ptq::correct_test
