#include "halftone/ptq/rounding/solve_layer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "halftone/base/rng.h"

namespace halftone::ptq::solve_layer_test {
namespace {

// A matrix product of `features` inputs with `channels` outputs, and rows to learn from.
struct Layer {
  LayerShape shape;
  Tensor weights;
  LayerRows rows;
  std::vector<double> bias;
  QuantSpec spec;
  QuantParams params;

  Layer(int64_t groups, int64_t features, int64_t channels, int64_t count, uint64_t seed, int bits = 3)
      : shape(layer_shape({groups * channels, features, 1, groups, true})),
        weights(DType::Float, {groups * channels, features}),
        bias(static_cast<size_t>(groups * channels)) {
    Rng rng(seed);
    for (float& w : weights.mutable_data<float>()) w = static_cast<float>(rng.normal() * 0.2);
    for (double& b : bias) b = rng.normal();
    rows.count = count;
    for (int64_t r = 0; r < count; ++r) {
      const double common = rng.normal();
      for (int64_t f = 0; f < groups * features; ++f) {
        rows.inputs.push_back(static_cast<float>(0.5 + common + 0.5 * rng.normal()));
      }
    }
    make_targets();
    spec.bits = bits;
    spec.is_signed = spec.symmetric = spec.narrow_range = true;
    spec.granularity = Granularity::PerChannel;
    std::vector<float> low, high;
    const float* w = weights.data<float>().data();
    for (int64_t c = 0; c < groups * channels; ++c, w += features) {
      low.push_back(*std::min_element(w, w + features));
      high.push_back(*std::max_element(w, w + features));
    }
    params = choose_params(spec, low, high, 0);
  }

  void make_targets() {
    rows.targets.clear();
    const int64_t all = shape.groups * shape.channels;
    for (int64_t r = 0; r < rows.count; ++r) {
      for (int64_t c = 0; c < all; ++c) rows.targets.push_back(static_cast<float>(output(weights, bias, r, c)));
    }
  }
  double output(const Tensor& w, const std::vector<double>& b, int64_t row, int64_t c) const {
    double sum = b[static_cast<size_t>(c)];
    const int64_t first = row * shape.groups * shape.features + c / shape.channels * shape.features;
    for (int64_t f = 0; f < shape.features; ++f) {
      sum += double{rows.inputs[static_cast<size_t>(first + f)]} *
             w.data<float>()[static_cast<size_t>(shape.weight_offset(c, f))];
    }
    return sum;
  }
  // Mean squared error over the rows, by its definition, of what comes through the clipping.
  double error(const Tensor& w, const std::vector<double>& b, double low = -INFINITY, double high = INFINITY) const {
    double total = 0;
    const int64_t all = shape.groups * shape.channels;
    for (int64_t r = 0; r < rows.count; ++r) {
      for (int64_t c = 0; c < all; ++c) {
        const double t = rows.targets[static_cast<size_t>(r * all + c)];
        const double d = std::clamp(output(w, b, r, c), low, high) - std::clamp(t, low, high);
        total += d * d;
      }
    }
    return total / static_cast<double>(rows.count);
  }
  double nearest_error(double low = -INFINITY, double high = INFINITY) const {
    return error(fake_quantize(weights, params), bias, low, high);
  }

  LayerSolution solve(std::string_view method = "coordinate_descent", bool free_bias = true, int threads = 1,
                      int64_t clip_passes = 0, double low = -INFINITY, double high = INFINITY,
                      double damping = 1e-4) const {
    ThreadTeam team(threads);
    SolveOptions options;
    options.method = &find_rounding_method(method);
    options.clip_passes = clip_passes;
    options.damping = damping;
    options.iterations = 300;
    return solve_layer(shape, rows, weights, params, spec, free_bias, bias, low, high, options, team);
  }
};

void expect_on_grid(const LayerSolution& solution) {
  EXPECT_TRUE(fake_quantize(solution.weights, solution.params).same_as(solution.weights));
  for (const double b : solution.bias) EXPECT_TRUE(std::isfinite(b));
  check_params(solution.params, solution.weights.shape(), "test");
}

TEST(SolveLayer, EveryMethodStaysOnTheGridAndBeatsNearest) {
  for (const bool free_bias : {true, false}) {
    for (const int64_t groups : {1, 3}) {
      const Layer layer(groups, 12, 4, 200, 1);
      for (const RoundingMethod& method : all_rounding_methods()) {
        const LayerSolution solution = layer.solve(method.name, free_bias);
        SCOPED_TRACE(method.name);
        expect_on_grid(solution);
        const double error = layer.error(solution.weights, solution.bias);
        EXPECT_LE(error, layer.nearest_error() * (1 + 1e-6));
        if (method.learns) {
          EXPECT_LE(error, 0.5 * layer.nearest_error());
          EXPECT_LE(solution.error, solution.nearest_error);
        }
        if (!free_bias) {
          EXPECT_EQ(solution.bias, layer.bias);
        }
      }
    }
  }
}

// All roundings of a layer of few weights, up and down, on the grid as it is given and with the best bias for each.
TEST(SolveLayer, ComesNearTheBestOfAllRoundings) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    const Layer layer(1, 8, 1, 60, 20 + seed);
    double least = INFINITY;
    for (uint32_t up = 0; up < 1U << 8; ++up) {
      Tensor w(DType::Float, layer.weights.shape());
      for (size_t i = 0; i < 8; ++i) {
        const double ratio = layer.weights.data<float>()[i] / layer.params.scale[0];
        const double step = std::clamp(std::floor(ratio) + ((up >> i) & 1), -3.0, 3.0);
        w.mutable_data<float>()[i] = layer.params.scale[0] * static_cast<float>(step);
      }
      double mean = 0;
      for (int64_t r = 0; r < 60; ++r)
        mean += (layer.rows.targets[static_cast<size_t>(r)] - layer.output(w, {0.0}, r, 0)) / 60;
      least = std::min(least, layer.error(w, {mean}));
    }
    const LayerSolution solution = layer.solve();
    EXPECT_LE(layer.error(solution.weights, solution.bias), 1.2 * least) << seed;
  }
}

TEST(SolveLayer, BiasTakesTheMeanError) {
  const Layer layer(2, 6, 3, 100, 2);
  for (const RoundingMethod& method : all_rounding_methods()) {
    const LayerSolution solution = layer.solve(method.name);
    for (int64_t c = 0; c < 6; ++c) {
      double mean = 0;
      for (int64_t r = 0; r < 100; ++r) {
        mean +=
            layer.output(solution.weights, solution.bias, r, c) - layer.rows.targets[static_cast<size_t>(r * 6 + c)];
      }
      EXPECT_NEAR(mean / 100, 0, 1e-5) << method.name;
    }
  }
}

// A scale that is far too small would fit better were it tens of times as large: then it is not the grid that was asked
// for any more.
TEST(SolveLayer, RefittedScalesStayNearThoseOfTheGrid) {
  Layer layer(1, 12, 4, 200, 6);
  for (float& scale : layer.params.scale) scale /= 64;
  const LayerSolution solution = layer.solve();
  expect_on_grid(solution);
  for (size_t c = 0; c < 4; ++c) EXPECT_LE(solution.params.scale[c], 2 * layer.params.scale[c]);
}

// What a Relu cuts off doesn't count; letting it go makes the rest better, the more so the more often.
TEST(SolveLayer, ClippedTargets) {
  for (const int bits : {4, 8}) {
    SCOPED_TRACE(bits);
    double once = 0, often = 0, without = 0, nearest = 0;
    for (uint64_t seed = 0; seed < 10; ++seed) {
      Layer layer(1, 16, 8, 300, 40 + seed, bits);
      // What the layers in front have done to the inputs can't be undone, only made the best of.
      Rng rng(seed);
      for (float& x : layer.rows.inputs) x += static_cast<float>(0.5 * rng.normal());
      const auto error_after = [&](int64_t passes) {
        const LayerSolution solution = layer.solve("coordinate_descent", true, 1, passes, 0, 1);
        expect_on_grid(solution);
        return layer.error(solution.weights, solution.bias, 0, 1);
      };
      without += error_after(0);
      once += error_after(1);
      often += error_after(4);
      nearest += layer.nearest_error(0, 1);
    }
    EXPECT_LT(often, 0.96 * without);
    EXPECT_LT(often, once);
    EXPECT_LT(once, without);
    EXPECT_LT(without, nearest);
  }
}

TEST(SolveLayer, ThreadsMakeNoDifference) {
  for (const int64_t groups : {1, 4}) {
    const Layer layer(groups, 70, 5, 300, 3);
    const LayerSolution one = layer.solve("coordinate_descent", true, 1, 2, 0, INFINITY);
    const LayerSolution three = layer.solve("coordinate_descent", true, 3, 2, 0, INFINITY);
    EXPECT_TRUE(one.weights.same_as(three.weights));
    EXPECT_EQ(one.params, three.params);
    EXPECT_EQ(one.bias, three.bias);
  }
}

// One row, fewer rows than inputs, inputs that are always zero or never change, channels without weights.
TEST(SolveLayer, PoorRows) {
  for (const RoundingMethod& method : all_rounding_methods()) {
    SCOPED_TRACE(method.name);
    for (const int64_t count : {1, 2, 5}) {
      const Layer layer(1, 12, 3, count, 4);
      const LayerSolution solution = layer.solve(method.name, true, 1, 2, 0, 6);
      expect_on_grid(solution);
      EXPECT_LE(layer.error(solution.weights, solution.bias), layer.nearest_error() + 1e-6);
      expect_on_grid(layer.solve(method.name, true, 1, 2, 0, 6, 0));
    }
    for (const float constant : {0.0F, 0.7F}) {
      Layer layer(2, 6, 2, 50, 5);
      for (int64_t r = 0; r < 50; ++r) {
        for (const int64_t f : {0, 3, 6, 7, 8, 9, 10, 11})
          layer.rows.inputs[static_cast<size_t>(r * 12 + f)] = constant;
      }
      for (int64_t f = 0; f < 6; ++f) layer.weights.mutable_data<float>()[static_cast<size_t>(f)] = 0;
      layer.make_targets();
      for (const bool free_bias : {true, false}) {
        const LayerSolution solution = layer.solve(method.name, free_bias);
        expect_on_grid(solution);
        EXPECT_LE(layer.error(solution.weights, solution.bias), layer.nearest_error() + 1e-6);
        expect_on_grid(layer.solve(method.name, free_bias, 1, 0, -INFINITY, INFINITY, 0));
      }
    }
  }
}

// Few rows of a wide layer whose inputs have gone wrong: weights that fit them too well are wrong for all others.
TEST(SolveLayer, DampingIsChosenByRowsThatWereLeftOut) {
  double chosen = 0, fixed = 0, nearest = 0;
  for (uint64_t seed = 0; seed < 5; ++seed) {
    Layer layer(1, 64, 6, 80, 600 + seed, 4), fresh = layer;
    Rng rng(700 + seed);
    fresh.rows = LayerRows{.count = 2000, .inputs = {}, .targets = {}, .others = {}};
    for (int64_t r = 0; r < fresh.rows.count; ++r) {
      const double common = rng.normal();
      for (int64_t f = 0; f < 64; ++f) {
        fresh.rows.inputs.push_back(static_cast<float>(0.5 + common + 0.5 * rng.normal()));
      }
    }
    fresh.make_targets();
    for (Layer* each : {&layer, &fresh}) {
      for (float& x : each->rows.inputs) x += static_cast<float>(0.3 * rng.normal());
    }
    const LayerSolution free = layer.solve("coordinate_descent", true, 1, 0, -INFINITY, INFINITY, 0);
    expect_on_grid(free);
    chosen += fresh.error(free.weights, free.bias);
    const LayerSolution tight = layer.solve("coordinate_descent", true, 1, 0, -INFINITY, INFINITY, 0.01);
    fixed += fresh.error(tight.weights, tight.bias);
    nearest += fresh.nearest_error();
  }
  EXPECT_LT(chosen, 0.8 * fixed);
  EXPECT_LT(chosen, nearest);
}

TEST(SolveLayer, ScalesThatChannelsShareStayShared) {
  Layer layer(1, 10, 6, 100, 6);
  const auto largest = *std::max_element(layer.params.scale.begin(), layer.params.scale.end());
  layer.params.scale = {largest};
  layer.params.zero_point = {0};
  layer.params.axis = -1;
  layer.spec.granularity = Granularity::PerTensor;
  const LayerSolution tensor = layer.solve();
  expect_on_grid(tensor);
  EXPECT_EQ(tensor.params.scale.size(), 1U);
  EXPECT_LE(layer.error(tensor.weights, tensor.bias), 0.5 * layer.nearest_error());

  layer.params.scale.assign(6, largest);
  layer.params.zero_point.assign(6, 0);
  layer.params.axis = 0;
  layer.spec.granularity = Granularity::PerGroup;
  layer.spec.group_size = 4;
  const LayerSolution group = layer.solve();
  expect_on_grid(group);
  for (const size_t c : {1, 2, 3}) EXPECT_EQ(group.params.scale[c], group.params.scale[0]);
  EXPECT_EQ(group.params.scale[5], group.params.scale[4]);
  EXPECT_NE(group.params.scale[4], group.params.scale[0]);
}

TEST(SolveLayer, BlocksZeroPointsBitsByChannelAndFixedScales) {
  Layer blocks(1, 8, 3, 100, 7);
  blocks.params.axis = 1;
  blocks.params.block_size = 4;
  blocks.params.scale.assign(6, 0.15F);
  blocks.params.zero_point.assign(6, 0);
  blocks.spec.granularity = Granularity::PerBlock;
  const LayerSolution blocked = blocks.solve();
  expect_on_grid(blocked);
  EXPECT_LE(blocks.error(blocked.weights, blocked.bias), 0.5 * blocks.nearest_error());

  Layer shifted(1, 8, 3, 100, 8);
  shifted.spec.symmetric = shifted.spec.is_signed = shifted.spec.narrow_range = false;
  shifted.params = choose_params(shifted.spec, {-0.5F, -0.3F, -0.1F}, {0.3F, 0.5F, 0.6F}, 0);
  const LayerSolution uneven = shifted.solve();
  expect_on_grid(uneven);
  EXPECT_LE(shifted.error(uneven.weights, uneven.bias), shifted.nearest_error());

  Layer mixed(1, 8, 3, 100, 9, 4);
  mixed.params.channel_bits = {4, 2, 0};
  const LayerSolution several = mixed.solve();
  expect_on_grid(several);
  for (size_t f = 16; f < 24; ++f) EXPECT_EQ(several.weights.data<float>()[f], 0.0F);

  Layer power(1, 8, 3, 100, 10);
  power.spec.grid = "power_of_two_scale";
  for (float& s : power.params.scale) s = std::ldexp(1.0F, std::ilogb(s) + 1);
  EXPECT_EQ(power.solve().params, power.params);
}

}  // namespace
}  // namespace halftone::ptq::solve_layer_test
