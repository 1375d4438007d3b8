#include "halftone/quant/grids/k_means.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "halftone/base/rng.h"

namespace halftone::k_means_test {
namespace {

double cost_of(const std::vector<float>& values, const std::vector<double>& entries) {
  double sum = 0;
  for (float v : values) {
    double least = std::numeric_limits<double>::infinity();
    for (double e : entries) least = std::min(least, (v - e) * (v - e));
    sum += least;
  }
  return sum;
}

// The least cost over all assignments of values to `count` clusters, of which cluster 0 stays at zero.
double least_cost(const std::vector<float>& values, size_t count) {
  double least = std::numeric_limits<double>::infinity();
  std::vector<size_t> cluster(values.size(), 0);
  while (true) {
    std::vector<double> sum(count, 0.0), n(count, 0.0);
    for (size_t i = 0; i < values.size(); ++i) {
      sum[cluster[i]] += values[i];
      ++n[cluster[i]];
    }
    double cost = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      const double mean = cluster[i] == 0 ? 0 : sum[cluster[i]] / n[cluster[i]];
      cost += (values[i] - mean) * (values[i] - mean);
    }
    least = std::min(least, cost);
    size_t i = 0;
    while (i < values.size() && ++cluster[i] == count) cluster[i++] = 0;
    if (i == values.size()) return least;
  }
}

TEST(KMeans, IsTheBestOfAllClusterings) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Rng rng(seed);
    const size_t count = 2 + rng.below(3), n = 1 + rng.below(count == 4 ? 7 : 9);
    std::vector<float> values;
    for (size_t i = 0; i < n; ++i) {
      // Coarse numbers make equal values and ties.
      const bool coarse = seed % 2 == 0;
      values.push_back(
          static_cast<float>(coarse ? std::round(rng.normal() * 3) : rng.normal() + (seed % 5 == 0 ? 2 : 0)));
    }
    const std::vector<float> entries = k_means_around_zero(values, count);
    EXPECT_LE(entries.size(), count);
    EXPECT_TRUE(std::binary_search(entries.begin(), entries.end(), 0.0F));
    const double cost = cost_of(values, std::vector<double>(entries.begin(), entries.end()));
    // Entries are rounded to float32 at the end.
    EXPECT_NEAR(cost, least_cost(values, count), 1e-10) << "seed " << seed;
  }
}

TEST(KMeans, FewDifferentValuesAreKeptExactly) {
  const std::vector<float> values = {3, 3, -1.1F, 0.25F, -1.1F, 3};
  EXPECT_EQ(k_means_around_zero(values, 4), (std::vector<float>{-1.1F, 0, 0.25F, 3}));
  EXPECT_EQ(k_means_around_zero(values, 16), (std::vector<float>{-1.1F, 0, 0.25F, 3}));
  EXPECT_EQ(k_means_around_zero(std::vector<float>{0, 0}, 4), std::vector<float>{0});
  EXPECT_EQ(k_means_around_zero(std::vector<float>{-7}, 2), (std::vector<float>{-7, 0}));
}

TEST(KMeans, ManyValuesMeetTheConditionsOfAnOptimum) {
  Rng rng(5);
  std::vector<float> values;
  for (int i = 0; i < 20000; ++i) values.push_back(static_cast<float>(rng.normal()));
  const std::vector<float> entries = k_means_around_zero(values, 16);
  ASSERT_EQ(entries.size(), 16U);
  EXPECT_TRUE(std::is_sorted(entries.begin(), entries.end()));
  EXPECT_TRUE(std::binary_search(entries.begin(), entries.end(), 0.0F));
  // For a normal distribution the best 16 numbers have the error 0.009497, and the best 15, one of which is 0, have
  // 0.01073 (Max 1960, table I).
  const double error = cost_of(values, std::vector<double>(entries.begin(), entries.end())) / 20000;
  EXPECT_GT(error, 0.0090);
  EXPECT_LT(error, 0.0107);
}

}  // namespace
}  // namespace halftone::k_means_test
