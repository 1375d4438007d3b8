#include "halftone/ptq/ranges/search.h"

#include <gtest/gtest.h>

#include "halftone/base/error.h"
#include "halftone/ptq/test_bench.h"
#include "halftone/sim/interpreter.h"

namespace halftone::ptq::search_test {
namespace {

using test::Bench;
using test::Net;
using test::random_samples;
using test::random_tensor;

// A convolution that copies its input, a pool on the same grid, bounds, and a small network behind.
Graph copying_network() {
  Net net({Dim("N"), 2, 8, 8});
  Tensor copy(DType::Float, {2, 2, 1, 1});
  copy.mutable_data<float>()[0] = copy.mutable_data<float>()[3] = 1;
  net.layer("Conv", "c", "x", copy);
  net.add("MaxPool", "p", {"c"}).set_attribute("kernel_shape", std::vector<int64_t>{1, 1});
  net.constant("low", Tensor::scalar(-1.5f));
  net.constant("high", Tensor::scalar(1.5f));
  net.add("Clip", "b", {"p", "low", "high"});
  net.layer("Conv", "d", "b", random_tensor({3, 2, 3, 3}, 7), random_tensor({3}, 8));
  net.add("Relu", "r", {"d"});
  net.layer("Conv", "e", "r", random_tensor({2, 3, 1, 1}, 9));
  return net.finish("e");
}

// Mostly within +-1, with one far outlier, of which the network's bounds leave little.
std::vector<Tensor> outlying_samples(int count, uint64_t seed) {
  auto samples = random_samples({1, 2, 8, 8}, count, seed, 0);
  for (Tensor& sample : samples) sample.mutable_data<float>()[17] = 12;
  return samples;
}

double error_of(const Bench& made, const std::vector<Tensor>& samples) {
  const sim::Interpreter reference(made.bench.reference), model(made.bench.model);
  double error = 0;
  for (const Tensor& sample : samples) {
    const Tensor expected = reference.run({{"x", sample}}).at("e"), found = model.run({{"x", sample}}).at("e");
    for (size_t i = 0; i < static_cast<size_t>(expected.size()); ++i) {
      const double difference = double{expected.data<float>()[i]} - double{found.data<float>()[i]};
      error += difference * difference;
    }
  }
  return error;
}

Recipe coarse(bool symmetric = false) {
  Recipe recipe = make_recipe("int8", symmetric ? "int3" : "uint3", "per_channel", "min_max");
  recipe.activations.symmetric = symmetric;
  recipe.rules.push_back({.op = "Input", .role = Role::Activations, .spec = recipe.activations});
  return recipe;
}

TEST(SearchRanges, RangesThatOutliersStretchedAreTightened) {
  for (bool symmetric : {false, true}) {
    const auto samples = outlying_samples(16, 100);
    Bench made(copying_network(), samples, coarse(symmetric));
    const double before = error_of(made, samples);
    search_ranges(made.bench, {.images = 16});
    EXPECT_LT(error_of(made, samples), 0.8 * before);
    EXPECT_LT(error_of(made, outlying_samples(16, 500)), before) << "samples that it has not seen";
    const QuantParams& params = made.bench.model.encodings.at("x").params;
    EXPECT_LT(params.scale[0] * static_cast<float>(params.q_max - params.zero_point[0]), 11.0F);
    EXPECT_TRUE(!symmetric || params.zero_point[0] == 0);
  }
}

TEST(SearchRanges, SharedGridsStayShared) {
  Bench made(copying_network(), outlying_samples(8, 100), coarse());
  ASSERT_EQ(made.bench.model.encodings.at("c").params, made.bench.model.encodings.at("p").params);
  const auto before = made.bench.model.encodings.at("c").params;
  search_ranges(made.bench, {.images = 8});
  EXPECT_EQ(made.bench.model.encodings.at("c").params, made.bench.model.encodings.at("p").params);
  EXPECT_NE(made.bench.model.encodings.at("c").params, before);
}

TEST(SearchRanges, ThreadsMakeNoDifference) {
  const auto found = [](int threads) {
    Bench made(copying_network(), outlying_samples(9, 100), coarse(), threads);
    search_ranges(made.bench, {.images = 9});
    return made.bench.model.encodings;
  };
  EXPECT_EQ(found(1), found(2));
  EXPECT_EQ(found(1), found(5));
}

TEST(SearchRanges, OneSampleAndConstantOnesWork) {
  Tensor constant(DType::Float, {1, 2, 8, 8});
  for (float& v : constant.mutable_data<float>()) v = 0.5f;
  for (const auto& samples : {outlying_samples(1, 100), std::vector<Tensor>{constant}}) {
    Bench made(copying_network(), samples, coarse());
    const double before = error_of(made, samples);
    search_ranges(made.bench, {});
    EXPECT_LE(error_of(made, samples), before);
  }
}

TEST(SearchRanges, GridsThatHardlyMatterAreLeftAlone) {
  Bench made(copying_network(), outlying_samples(8, 100), coarse());
  const auto before = made.bench.model.encodings;
  search_ranges(made.bench, {.images = 8, .least_share = 1000});
  EXPECT_EQ(made.bench.model.encodings, before);
}

// Two grids a layer, all of which are worth moving: only as many are looked at as the depth leaves time for.
TEST(SearchRanges, DeepNetworksAreSearchedInPart) {
  Net net({Dim("N"), 2, 4, 4});
  std::string last = "x";
  constexpr int kLayers = 100;
  for (int i = 0; i < kLayers; ++i) {
    const std::string name = fmt::format("c{}", i);
    Tensor weights = random_tensor({2, 2, 1, 1}, 20 + static_cast<uint64_t>(i), 0.1);
    weights.mutable_data<float>()[0] += 0.9F;
    weights.mutable_data<float>()[3] += 0.9F;
    net.layer("Conv", name, last, weights);
    last = name;
  }
  net.add("Tanh", "e", {last});
  auto samples = random_samples({1, 2, 4, 4}, 8, 100, 0);
  for (Tensor& sample : samples) sample.mutable_data<float>()[3] = 6;
  Bench made(net.finish("e"), samples, coarse());
  const Encodings before = made.bench.model.encodings;
  const double error = error_of(made, samples);
  search_ranges(made.bench, {.images = 8, .least_share = 0});
  int moved = 0;
  for (const auto& [name, encoding] : made.bench.model.encodings) moved += encoding.params != before.at(name).params;
  EXPECT_GT(moved, 0);
  EXPECT_LE(moved, 3 * kLayers / 4);
  EXPECT_LE(error_of(made, samples), error);
}

// Ranges that only look better on the samples that choose are not taken.
TEST(SearchRanges, SamplesThatHadNoSayDecide) {
  // The two thirds that are searched by lie within +-1, the others reach as far as the ranges do.
  auto samples = random_samples({1, 2, 8, 8}, 8, 100, 0);
  for (Tensor& sample : samples) {
    for (float& v : sample.mutable_data<float>()) v = std::clamp(v, -0.2F, 0.2F);
  }
  for (const Tensor& sample : random_samples({1, 2, 8, 8}, 4, 200, 0)) samples.push_back(sample);
  Bench made(copying_network(), samples, coarse());
  const Encodings before = made.bench.model.encodings;
  search_ranges(made.bench, {.images = 8});
  EXPECT_EQ(made.bench.model.encodings, before);
  Samples alike = test::samples_of({samples.begin(), samples.begin() + 8});
  made.bench.samples = &alike;
  search_ranges(made.bench, {.images = 8});
  EXPECT_NE(made.bench.model.encodings, before);
}

TEST(SearchRanges, DataIsRequired) {
  Bench made(copying_network(), outlying_samples(1, 100), coarse());
  made.bench.samples = nullptr;
  EXPECT_THROW(search_ranges(made.bench, {}), Error);
}

}  // namespace
}  // namespace halftone::ptq::search_test
