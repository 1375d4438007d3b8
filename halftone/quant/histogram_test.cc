#include "halftone/quant/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <map>

#include "halftone/base/rng.h"

namespace halftone::histogram_test {
namespace {

// Numbers of very different magnitudes, so that histograms of parts have different widths.
std::vector<float> numbers(size_t n, uint64_t seed) {
  Rng rng(seed);
  std::vector<float> values(n);
  for (float& v : values) {
    v = static_cast<float>(rng.normal() * std::ldexp(1.0, static_cast<int>(rng.below(24)) - 12));
    if (rng.below(5) == 0) v = 0;
  }
  return values;
}

// The state by its definition, without a streaming algorithm.
void expect_is_histogram_of(const Histogram& histogram, const std::vector<float>& values) {
  double magnitude = 0;
  for (float v : values) magnitude = std::max(magnitude, std::fabs(double{v}));
  double width = std::ldexp(1.0, -126);
  while (width * Histogram::kBinsPerSide <= magnitude) width *= 2;
  EXPECT_EQ(histogram.width(), width);
  std::map<int, int64_t> expected;
  for (float v : values) ++expected[static_cast<int>(std::trunc(v / width))];
  for (int k = 1 - Histogram::kBinsPerSide; k < Histogram::kBinsPerSide; ++k) {
    ASSERT_EQ(histogram.count(k), expected.contains(k) ? expected[k] : 0) << "bin " << k;
  }
}

TEST(Extent, CountsAndBoundsExactly) {
  const std::vector<float> values = {3, -0.0F, 0, NAN, -7, INFINITY, 1e-45F, -INFINITY};
  const Extent extent = measure(values);
  EXPECT_EQ(extent, (Extent{5, 2, -7, 3, 3}));
  const Extent smallest = measure(std::vector<float>(7, -0.0F));
  EXPECT_EQ(smallest.min, 0);
  EXPECT_FALSE(std::signbit(smallest.min));
  EXPECT_EQ(measure({}).count, 0);
  EXPECT_EQ(measure({}).magnitude(), 0);
}

TEST(Extent, FindsTheExtremesWhereverTheyAre) {
  for (size_t n = 1; n < 40; ++n) {
    for (size_t at = 0; at < n; ++at) {
      std::vector<float> values(n, -2.0F);
      values[at] = -3.0F;
      EXPECT_EQ(measure(values).min, -3.0F);
      values[at] = std::numeric_limits<float>::quiet_NaN();
      EXPECT_EQ(measure(values).not_finite, 1);
      values[at] = -std::numeric_limits<float>::quiet_NaN();
      EXPECT_EQ(measure(values).not_finite, 1);
      values[at] = -INFINITY;
      EXPECT_EQ(measure(values).not_finite, 1);
      values[at] = FLT_MAX;
      EXPECT_EQ(measure(values).max, FLT_MAX);
    }
  }
}

TEST(Histogram, IsWhatItsDefinitionSays) {
  for (size_t n : {0U, 1U, 5U, 1000U, 4095U, 4096U, 20001U}) {
    const std::vector<float> values = numbers(n, n);
    Histogram histogram;
    histogram.add(values);
    expect_is_histogram_of(histogram, values);
  }
}

TEST(Histogram, HandlesTheEndsOfTheFloatRange) {
  const std::vector<float> values = {FLT_MAX, -FLT_MAX, 1e-45F, -1e-45F, FLT_MIN, 2048, -2047.999F, 0};
  Histogram histogram;
  for (size_t i = values.size(); i-- > 0;) histogram.add(std::span(values).subspan(i, 1));
  expect_is_histogram_of(histogram, values);
  Histogram tiny;
  tiny.add(std::vector<float>{1e-45F, -3e-42F});
  expect_is_histogram_of(tiny, {1e-45F, -3e-42F});
}

TEST(Histogram, DependsOnTheSetOfNumbersOnly) {
  std::vector<float> values = numbers(30000, 7);
  Histogram whole;
  whole.add(values);
  Rng rng(9);
  for (int trial = 0; trial < 5; ++trial) {
    rng.shuffle(values);
    std::vector<Histogram> parts(1 + rng.below(6));
    for (size_t begin = 0; begin < values.size();) {
      const size_t n = std::min<size_t>(1 + rng.below(9000), values.size() - begin);
      parts[rng.below(parts.size())].add(std::span(values).subspan(begin, n));
      begin += n;
    }
    Histogram merged;
    for (const Histogram& part : parts) merged.merge(part);
    EXPECT_EQ(merged, whole);
  }
}

TEST(Histogram, QuantilesAreWithinABinOfTheSortedNumbers) {
  std::vector<float> values = numbers(50000, 3);
  Histogram histogram;
  histogram.add(values);
  std::erase(values, 0.0F);
  std::sort(values.begin(), values.end());
  for (double q : {0.0, 0.0001, 0.01, 0.3, 0.5, 0.77, 0.99, 0.9999, 1.0}) {
    // Between neighbours in order, where to cut is a matter of taste.
    const auto at = static_cast<size_t>(q * static_cast<double>(values.size() - 1));
    EXPECT_GE(histogram.quantile(q), values[at == 0 ? 0 : at - 1] - 2 * histogram.width()) << q;
    EXPECT_LE(histogram.quantile(q), values[std::min(at + 1, values.size() - 1)] + 2 * histogram.width()) << q;
  }
  EXPECT_EQ(histogram.quantile(0), values.front());
  EXPECT_EQ(histogram.quantile(1), values.back());
}

TEST(Histogram, QuantilesRiseWithTheirFraction) {
  Histogram histogram;
  histogram.add(numbers(1000, 5));
  float before = histogram.quantile(0);
  for (int i = 1; i <= 1000; ++i) {
    const float now = histogram.quantile(i / 1000.0);
    EXPECT_LE(before, now);
    before = now;
  }
}

TEST(Histogram, QuantilesIgnoreZeros) {
  Histogram histogram;
  std::vector<float> values(100000, 0.0F);
  values[17] = 5;
  values[18] = 4;
  histogram.add(values);
  EXPECT_EQ(histogram.quantile(0.9999), 5);
  EXPECT_EQ(Histogram().quantile(0.5), 0);
}

}  // namespace
}  // namespace halftone::histogram_test
