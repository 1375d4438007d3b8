#include "halftone/ptq/rounding/squant.h"

#include <gtest/gtest.h>

#include <cmath>

#include "halftone/ptq/test_bench.h"

namespace halftone::ptq::squant_test {
namespace {

using test::Bench;
using test::Net;
using test::random_samples;
using test::random_tensor;

std::vector<RoundedWeight> nearest_codes(size_t count, Rng& rng, int32_t high = 7) {
  std::vector<RoundedWeight> weights(count);
  for (RoundedWeight& weight : weights) {
    const double real = 3 * rng.normal();
    weight.low = -high;
    weight.high = high;
    weight.code = static_cast<int32_t>(std::clamp<double>(std::nearbyint(real), -high, high));
    weight.error = weight.code - real;
  }
  return weights;
}

double sum_of(std::span<const RoundedWeight> weights) {
  double sum = 0;
  for (const RoundedWeight& weight : weights) sum += weight.error;
  return sum;
}

double squares_of(std::span<const RoundedWeight> weights) {
  double sum = 0;
  for (const RoundedWeight& weight : weights) sum += weight.error * weight.error;
  return sum;
}

// The least squared error of all ways to round down or up whose sum is at most half a step.
double least_squares(const std::vector<RoundedWeight>& weights) {
  double least = 1e9;
  for (uint32_t ways = 0; ways < 1U << weights.size(); ++ways) {
    double sum = 0, squares = 0;
    bool there = true;
    for (size_t i = 0; i < weights.size(); ++i) {
      const double real = weights[i].code - weights[i].error;
      const double code = (ways >> i & 1) != 0 ? std::ceil(real) : std::floor(real);
      there &= code >= weights[i].low && code <= weights[i].high;
      sum += code - real;
      squares += (code - real) * (code - real);
    }
    if (there && std::abs(sum) <= 0.5) least = std::min(least, squares);
  }
  return least;
}

TEST(Squant, AKernelsSumStaysAtTheLeastSquaredError) {
  Rng rng(1);
  int flipped = 0;
  for (int round = 0; round < 200; ++round) {
    std::vector<RoundedWeight> kernel = nearest_codes(9, rng);
    bool clipped = false;
    for (const RoundedWeight& weight : kernel) clipped |= std::abs(weight.error) > 0.5;
    if (clipped) continue;
    const double least = least_squares(kernel);
    const double before = sum_of(kernel);
    flip_roundings(kernel, 9, {.kernels = true, .channels = false});
    flipped += std::abs(before) > 0.5;
    EXPECT_LE(std::abs(sum_of(kernel)), 0.5);
    EXPECT_NEAR(squares_of(kernel), least, 1e-9);
    for (const RoundedWeight& weight : kernel) {
      EXPECT_GE(weight.code, weight.low);
      EXPECT_LE(weight.code, weight.high);
    }
  }
  EXPECT_GT(flipped, 50);
}

TEST(Squant, AChannelsSumStaysWithThoseOfItsKernels) {
  Rng rng(2);
  for (int round = 0; round < 100; ++round) {
    std::vector<RoundedWeight> channel = nearest_codes(64 * 9, rng, 100);
    std::vector<RoundedWeight> kernels = channel;
    flip_roundings(kernels, 9, {.kernels = true, .channels = false});
    flip_roundings(channel, 9, {});
    EXPECT_LE(std::abs(sum_of(channel)), 0.5);
    const auto changes = static_cast<int>(std::abs(std::nearbyint(sum_of(kernels) - sum_of(channel))));
    int changed = 0;
    for (size_t k = 0; k < 64; ++k) {
      const std::span<const RoundedWeight> after = std::span(channel).subspan(9 * k, 9);
      EXPECT_LT(std::abs(sum_of(after)), 1);
      const double moved = sum_of(std::span(kernels).subspan(9 * k, 9)) - sum_of(after);
      if (std::abs(moved) < 1e-9) continue;
      // The kernels that moved are those whose sums were largest.
      ++changed;
      EXPECT_NEAR(std::abs(moved), 1, 1e-9);
    }
    EXPECT_EQ(changed, changes);
  }
}

TEST(Squant, WithoutKernelsEachWeightIsOne) {
  // Errors of a channel of a matrix product: 0.4 + 0.3 + 0.45 - 0.1 = 1.05; the largest goes the other way.
  const auto weight = [](double error) { return RoundedWeight{error, 0, -7, 7}; };
  std::vector<RoundedWeight> channel{weight(0.4), weight(0.3), weight(0.45), weight(-0.1)};
  flip_roundings(channel, 1, {});
  EXPECT_EQ(channel[2].code, -1);
  EXPECT_NEAR(channel[2].error, -0.55, 1e-12);
  for (const size_t i : {0, 1, 3}) EXPECT_EQ(channel[i].code, 0);
}

TEST(Squant, TheKernelWithTheLargestSumGivesItsNextWeight) {
  const auto weight = [](double error) { return RoundedWeight{error, 0, -7, 7}; };
  std::vector<RoundedWeight> channel{weight(0.15), weight(0.1), weight(0.1), weight(0.35)};
  flip_roundings(channel, 2, {});
  for (const size_t i : {0, 1, 2}) EXPECT_EQ(channel[i].code, 0);
  EXPECT_EQ(channel[3].code, -1);
}

TEST(Squant, WeightsWithoutACodeBeyondStay) {
  const RoundedWeight last{-0.5, 7, -7, 7};
  std::vector<RoundedWeight> stuck(9, last);
  flip_roundings(stuck, 9, {});
  for (const RoundedWeight& weight : stuck) EXPECT_EQ(weight.code, 7);
  // A weight that is a code keeps it.
  std::vector<RoundedWeight> zeros(9, RoundedWeight{0, 0, -7, 7});
  zeros.front().error = 0.4;
  zeros.back().error = 0.4;
  flip_roundings(zeros, 9, {});
  EXPECT_EQ(zeros.front().code + zeros.back().code, -1);
  for (size_t i = 1; i < 8; ++i) EXPECT_EQ(zeros[i].code, 0);
}

Graph depthwise_net() {
  Net net({Dim("N"), 6, 8, 8});
  net.layer("Conv", "c", "x", random_tensor({6, 1, 3, 3}, 1), random_tensor({6}, 2)).set_attribute("group", int64_t{6});
  net.layer("Conv", "d", "c", random_tensor({4, 6, 1, 1}, 3));
  return net.finish("d");
}

std::vector<float> numbers_of(const Tensor& tensor) {
  return {tensor.data<float>().begin(), tensor.data<float>().end()};
}

Tensor constant(const Graph& graph, const std::string& name) { return *graph.value(graph.find(name)).constant; }

TEST(Squant, ResultsOfEvenInputsStay) {
  for (const char* granularity : {"per_tensor", "per_channel"}) {
    const Recipe coarse = make_recipe("int4", "uint8", granularity, "min_max");
    Bench made(depthwise_net(), random_samples({1, 6, 8, 8}, 6, 100), coarse);
    const Tensor real = constant(made.bench.model.graph, "c_w");
    const QuantParams params = made.bench.model.encodings.at("c_w").params;
    squant(made.bench, "c", {});
    const Tensor made_weights = constant(made.bench.model.graph, "c_w");
    EXPECT_EQ(numbers_of(made_weights), numbers_of(fake_quantize(made_weights, params)));  // on the grid
    EXPECT_NE(numbers_of(made_weights), numbers_of(fake_quantize(real, params)));
    for (size_t channel = 0; channel < 6; ++channel) {
      double sum = 0;
      for (size_t k = 9 * channel; k < 9 * channel + 9; ++k) {
        sum += double{made_weights.data<float>()[k]} - double{real.data<float>()[k]};
      }
      EXPECT_LE(std::abs(sum), 0.5001 * params.scale[params.per_tensor() ? 0 : channel]);
    }
    // Once more: they lie on their grid.
    squant(made.bench, "*", {});
    EXPECT_EQ(numbers_of(constant(made.bench.model.graph, "c_w")), numbers_of(made_weights));
  }
}

TEST(Squant, OtherGridsStay) {
  const Recipe codebook = make_recipe("int4:codebook", "uint8", "per_channel", "min_max");
  Bench made(depthwise_net(), random_samples({1, 6, 8, 8}, 6, 100), codebook);
  const Tensor before = constant(made.bench.model.graph, "c_w");
  squant(made.bench, "*", {});
  EXPECT_EQ(numbers_of(constant(made.bench.model.graph, "c_w")), numbers_of(before));
}

}  // namespace
}  // namespace halftone::ptq::squant_test
