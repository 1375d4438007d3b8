#include "halftone/train/mixup.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "tests/support/error_of.h"

namespace halftone::train::mixup_test {
namespace {

TEST(Beta, MeanAndVariance) {
  Rng rng(1);
  for (const auto& [a, b] : {std::pair{0.2, 0.2}, {0.05, 0.1}, {1.0, 1.0}, {0.5, 3.0}, {8.0, 2.0}, {1000.0, 1000.0}}) {
    const int count = 20000;
    double sum = 0, squares = 0;
    for (int i = 0; i < count; ++i) {
      const double x = draw_beta(a, b, rng);
      ASSERT_TRUE(x >= 0 && x <= 1);
      sum += x;
      squares += x * x;
    }
    const double mean = a / (a + b), variance = a * b / ((a + b) * (a + b) * (a + b + 1));
    EXPECT_NEAR(sum / count, mean, 5 * std::sqrt(variance / count)) << a << ", " << b;
    EXPECT_NEAR(squares / count - sum / count * sum / count, variance, 0.06 * variance) << a << ", " << b;
  }
}

// Kolmogorov and Smirnov's distance, for which a closed form of the distribution is known.
TEST(Beta, Distribution) {
  const auto distance = [](double a, double b, auto distribution) {
    Rng rng(2);
    std::vector<double> drawn(20000);
    for (double& x : drawn) x = draw_beta(a, b, rng);
    std::ranges::sort(drawn);
    double most = 0;
    for (size_t i = 0; i < drawn.size(); ++i) {
      most = std::max(most, std::abs(distribution(drawn[i]) - (static_cast<double>(i) + 0.5) / 20000));
    }
    return most * std::sqrt(20000.0);
  };
  EXPECT_LT(distance(1, 1, [](double x) { return x; }), 1.95);
  EXPECT_LT(distance(0.5, 0.5, [](double x) { return 2 / std::numbers::pi * std::asin(std::sqrt(x)); }), 1.95);
  EXPECT_LT(distance(0.3, 1, [](double x) { return std::pow(x, 0.3); }), 1.95);
  EXPECT_LT(distance(2, 2, [](double x) { return x * x * (3 - 2 * x); }), 1.95);
}

TEST(Beta, SmallNumbersAreNotLost) {
  Rng rng(3);
  int ones = 0;
  for (int i = 0; i < 2000; ++i) {
    const double x = draw_beta(1e-3, 1e-3, rng);
    ASSERT_FALSE(std::isnan(x));
    ones += x > 0.5;
  }
  EXPECT_NEAR(ones, 1000, 120);
}

TEST(Mixup, EverySampleIsMixedWithOne) {
  const int64_t batch = 9;
  // Sample i is a 1 at position i, so that the result shows who went into it.
  const at::Tensor inputs = at::eye(batch).reshape({batch, 1, 3, 3});
  const at::Tensor targets = at::eye(batch).slice(1, 0, 5);
  bool moved = false;
  for (uint64_t step = 0; step < 20; ++step) {
    const Mixed mixed = mixup(inputs, targets, 0.7, 11, step);
    const auto share = static_cast<float>(mixed.share);
    ASSERT_EQ(mixed.inputs.sizes(), inputs.sizes());
    ASSERT_EQ(mixed.targets.sizes(), targets.sizes());
    const at::Tensor rows = mixed.inputs.reshape({batch, batch});
    std::vector<int> used(static_cast<size_t>(batch));
    for (int64_t i = 0; i < batch; ++i) {
      for (int64_t partner = 0; partner < batch; ++partner) {
        const float value = rows[i][partner].item<float>();
        if (partner < 5) {
          ASSERT_EQ(mixed.targets[i][partner].item<float>(), value);
        }
        const float rest = value - (i == partner ? share : 0);
        if (rest == 0) continue;
        ASSERT_NEAR(rest, 1 - share, 1e-6);
        ++used[static_cast<size_t>(partner)];
        moved |= partner != i;
      }
    }
    if (share < 0.999f) {
      EXPECT_EQ(used, std::vector<int>(static_cast<size_t>(batch), 1));
    }
  }
  EXPECT_TRUE(moved);
}

TEST(Mixup, SeedAndStepDecide) {
  const at::Tensor inputs = at::arange(60, at::kFloat).reshape({6, 10});
  const Mixed one = mixup(inputs, {}, 0.4, 1, 5), same = mixup(inputs, {}, 0.4, 1, 5);
  EXPECT_FALSE(one.targets.defined());
  EXPECT_TRUE(one.inputs.equal(same.inputs));
  EXPECT_FALSE(one.inputs.equal(mixup(inputs, {}, 0.4, 1, 6).inputs));
  EXPECT_FALSE(one.inputs.equal(mixup(inputs, {}, 0.4, 2, 5).inputs));
}

TEST(Mixup, WordsAreChecked) {
  EXPECT_EQ(mixup_alpha(parse_steps("mixup")[0]), 0.2);
  EXPECT_EQ(mixup_alpha(parse_steps("mixup:alpha=1.5")[0]), 1.5);
  EXPECT_THROW(mixup_alpha(parse_steps("mixup:alpha=0")[0]), Error);
  EXPECT_THROW(mixup_alpha(parse_steps("mixup:beta=1")[0]), Error);
  EXPECT_THROW(mixup_alpha(parse_steps("cutmix")[0]), Error);
}

}  // namespace
}  // namespace halftone::train::mixup_test
