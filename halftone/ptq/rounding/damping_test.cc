#include "halftone/ptq/rounding/damping.h"

#include <gtest/gtest.h>

#include <cmath>

#include "halftone/base/rng.h"
#include "halftone/ptq/rounding/layer_objective.h"

namespace halftone::ptq::damping_test {
namespace {

// Rows of a matrix product whose targets come from the weights and inputs that are handed on with noise.
struct Rows {
  LayerShape shape;
  std::vector<float> inputs, targets;
  int64_t count;
  std::vector<double> weights;

  Rows(int64_t features, int64_t channels, int64_t rows, double noise, uint64_t seed)
      : shape(layer_shape({channels, features, 1, 1, true})), count(rows) {
    Rng rng(seed);
    for (int64_t i = 0; i < features * channels; ++i) weights.push_back(0.3 * rng.normal());
    for (int64_t r = 0; r < rows; ++r) {
      std::vector<double> x;
      for (int64_t f = 0; f < features; ++f) {
        x.push_back(rng.normal());
        inputs.push_back(static_cast<float>(x.back() + noise * rng.normal()));
      }
      for (int64_t c = 0; c < channels; ++c) {
        double t = 0;
        for (int64_t f = 0; f < features; ++f)
          t += x[static_cast<size_t>(f)] * weights[static_cast<size_t>(c * features + f)];
        targets.push_back(static_cast<float>(t));
      }
    }
  }

  // Channels on a grid so fine that only w* matters.
  std::vector<ChannelWeights> channels(const LayerSums& sums, double scale) const {
    std::vector<ChannelWeights> all;
    const auto k = static_cast<size_t>(shape.features);
    for (size_t c = 0; c < static_cast<size_t>(shape.channels); ++c) {
      ChannelWeights channel;
      for (const int64_t f : sums.order()[0]) channel.real.push_back(weights[c * k + static_cast<size_t>(f)]);
      channel.best.resize(k);
      channel.steps.resize(k);
      channel.scale.assign(k, scale);
      channel.low.assign(k, -1000000);
      channel.high.assign(k, 1000000);
      all.push_back(channel);
    }
    return all;
  }

  double chosen(double scale = 1e-5, int threads = 2) const {
    ThreadTeam team(threads);
    const LayerSums sums(shape, inputs, count, true, team);
    std::vector<float> centred = targets;
    centre(centred, count, shape.channels);
    return choose_damping(shape, SplitSums(sums, centred), channels(sums, scale), team);
  }
};

TEST(Damping, ManyRowsAreBelievedAndFewAreNot) {
  EXPECT_LE(Rows(4, 3, 4000, 0.5, 1).chosen(), 0.03);
  EXPECT_GE(Rows(60, 8, 64, 0.5, 2).chosen(), 0.3);
  EXPECT_GE(Rows(60, 8, 64, 0.5, 2).chosen(), Rows(60, 8, 2000, 0.5, 2).chosen());
}

TEST(Damping, WithoutRowsToCheckItIsOne) {
  for (const int64_t rows : {1, 2, 7}) EXPECT_EQ(Rows(3, 2, rows, 0.5, 3).chosen(), 1);
}

TEST(Damping, ThreadsMakeNoDifference) {
  const Rows rows(40, 5, 100, 0.4, 4);
  EXPECT_EQ(rows.chosen(0.05, 1), rows.chosen(0.05, 3));
}

// By their definition, from the rows in plain loops.
TEST(SplitSums, AreMeansOverTheirRows) {
  for (const int64_t groups : {1, 3}) {
    const int64_t k = 5, n = 2, count = 11;
    const LayerShape shape = layer_shape({groups * n, k, 1, groups, true});
    Rng rng(5);
    std::vector<float> inputs, targets;
    for (int64_t i = 0; i < count * groups * k; ++i) inputs.push_back(static_cast<float>(rng.normal() + 1));
    for (int64_t i = 0; i < count * groups * n; ++i) targets.push_back(static_cast<float>(rng.normal()));
    ThreadTeam team(2);
    const LayerSums sums(shape, inputs, count, true, team);
    std::vector<float> centred = inputs;
    const std::vector<double> means = centre(centred, count, groups * k);
    const SplitSums split(sums, targets);
    EXPECT_EQ(split.fit.count, 9);
    EXPECT_EQ(split.check.first, 9);
    EXPECT_EQ(split.check.count, 2);
    const auto mean = [&](RowRange range, auto&& of_row) {
      double sum = 0;
      for (int64_t r = range.first; r < range.first + range.count; ++r) sum += of_row(r);
      return sum / static_cast<double>(range.count);
    };
    const auto all_grams = SplitSums(split).grams(), all_products = split.products();
    for (int64_t g = 0; g < groups; ++g) {
      const std::vector<int64_t>& order = sums.order()[static_cast<size_t>(g)];
      for (size_t i = 0; i < static_cast<size_t>(k); ++i) {
        const auto x = [&](int64_t r, size_t place) {
          return double{centred[static_cast<size_t>(r * groups * k + g * k + order[place])]};
        };
        EXPECT_EQ(sums.mean(static_cast<size_t>(g), i), means[static_cast<size_t>(g * k + order[i])]);
        for (size_t j = 0; j < static_cast<size_t>(k); ++j) {
          const auto product = [&](int64_t r) { return x(r, i) * x(r, j); };
          const size_t at = i * static_cast<size_t>(k) + j;
          EXPECT_NEAR(split.fit_grams[static_cast<size_t>(g)][at], mean(split.fit, product), 1e-6);
          EXPECT_NEAR(split.check_grams[static_cast<size_t>(g)][at], mean(split.check, product), 1e-6);
          EXPECT_NEAR(all_grams[static_cast<size_t>(g)][at], mean({0, count}, product), 1e-6);
        }
        for (int64_t c = 0; c < n; ++c) {
          const auto product = [&](int64_t r) {
            return x(r, i) * double{targets[static_cast<size_t>(r * groups * n + g * n + c)]};
          };
          const size_t at = i * static_cast<size_t>(n) + static_cast<size_t>(c);
          EXPECT_NEAR(split.check_products[static_cast<size_t>(g)][at], mean(split.check, product), 1e-6);
          EXPECT_NEAR(all_products[static_cast<size_t>(g)][at], mean({0, count}, product), 1e-6);
        }
      }
      // Inputs that matter most come last.
      for (size_t i = 1; i < static_cast<size_t>(k); ++i) {
        EXPECT_GE(all_grams[static_cast<size_t>(g)][i * static_cast<size_t>(k) + i],
                  all_grams[static_cast<size_t>(g)][(i - 1) * static_cast<size_t>(k) + i - 1] * (1 - 1e-6));
      }
    }
  }
}

}  // namespace
}  // namespace halftone::ptq::damping_test
