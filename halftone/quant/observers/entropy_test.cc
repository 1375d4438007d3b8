// The oracle writes both distributions out, bin by bin, and divides.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "halftone/base/rng.h"
#include "halftone/quant/histogram.h"
#include "halftone/quant/observer.h"

namespace halftone::entropy_test {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

// Of the bins `counts`, kept from `from` to before `to`, in `levels` runs.
double divergence(const std::vector<double>& counts, size_t from, size_t to, size_t levels) {
  std::vector<double> p(counts.begin() + static_cast<ptrdiff_t>(from), counts.begin() + static_cast<ptrdiff_t>(to));
  std::vector<double> q(p.size(), 0);
  for (size_t level = 0; level < levels; ++level) {
    const size_t a = level * p.size() / levels, b = (level + 1) * p.size() / levels;
    double sum = 0, filled = 0;
    for (size_t i = a; i < b; ++i) {
      sum += p[i];
      filled += p[i] > 0 ? 1 : 0;
    }
    for (size_t i = a; i < b; ++i) q[i] = p[i] > 0 ? sum / filled : 0;
  }
  for (size_t i = 0; i < from; ++i) p.front() += counts[i];
  for (size_t i = to; i < counts.size(); ++i) p.back() += counts[i];
  double p_sum = 0, q_sum = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    p_sum += p[i];
    q_sum += q[i];
  }
  double sum = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    if (p[i] > 0) sum += q[i] > 0 ? p[i] / p_sum * std::log(p[i] / p_sum / (q[i] / q_sum)) : kNever;
  }
  return sum;
}

QuantSpec spec_of(int bits, bool symmetric) {
  QuantSpec spec;
  spec.bits = bits;
  spec.is_signed = spec.symmetric = symmetric;
  return spec;
}

std::vector<float> draw(size_t n, uint64_t seed, double mean, bool rectified) {
  Rng rng(seed);
  std::vector<float> values(n);
  for (float& v : values) {
    const double x = rng.normal();
    v = static_cast<float>(x * x * x + mean);
    if (rectified) v = std::max(v, 0.0F);
  }
  return values;
}

Range range_of(const std::vector<float>& values, const QuantSpec& spec) {
  const auto observer = make_observer("entropy", spec);
  observer->observe(values, "x");
  return observer->range();
}

// Numbers on one side: all thresholds of the histogram.
TEST(Entropy, OneSidedIsTheLeastOfAllThresholds) {
  for (int bits : {2, 4, 6, 8}) {
    const std::vector<float> values = draw(30000, static_cast<uint64_t>(bits), 0, true);
    Histogram histogram;
    histogram.add(values);
    std::vector<double> counts;
    for (int k = 0; k < Histogram::kBinsPerSide; ++k) {
      counts.push_back(static_cast<double>(histogram.count(k) - (k == 0 ? histogram.extent().zeros : 0)));
    }
    while (counts.back() == 0) counts.pop_back();
    const size_t codes = size_t{1} << bits;
    double least = kNever;
    for (size_t to = codes + 1; to <= counts.size(); ++to) least = std::min(least, divergence(counts, 0, to, codes));
    const Range range = range_of(values, spec_of(bits, false));
    EXPECT_EQ(range.low, 0);
    const auto found = static_cast<size_t>(std::lround(std::ceil(range.high / histogram.width())));
    const double here = divergence(counts, 0, std::min(found, counts.size()), codes);
    EXPECT_NEAR(here, least, 1e-9) << bits;
  }
}

TEST(Entropy, SymmetricIsTheLeastOfAllThresholds) {
  const std::vector<float> values = draw(30000, 5, 0.3, false);
  Histogram histogram;
  histogram.add(values);
  const int last = Histogram::kBinsPerSide - 1;
  std::vector<double> counts;
  for (int k = -last; k <= last; ++k) {
    counts.push_back(static_cast<double>(histogram.count(k) - (k == 0 ? histogram.extent().zeros : 0)));
  }
  size_t low = 0, high = counts.size();
  while (counts[low] == 0) ++low;
  while (counts[high - 1] == 0) --high;
  for (int bits : {4, 8}) {
    const int codes = 1 << bits;
    const auto at = [&](int reach) {
      const auto middle = static_cast<size_t>(last), r = static_cast<size_t>(reach);
      const size_t from = std::max(middle - r, low), to = std::min(middle + r + 1, high);
      const size_t levels = static_cast<size_t>(codes) * (to - from) / (2 * r + 1);
      return divergence(counts, from, to, levels);
    };
    double least = kNever;
    const int farthest =
        static_cast<int>(std::max(static_cast<size_t>(last) - low, high - 1 - static_cast<size_t>(last)));
    for (int reach = codes / 2; reach <= farthest; ++reach) least = std::min(least, at(reach));
    const Range range = range_of(values, spec_of(bits, true));
    const int found = static_cast<int>(std::lround(std::max(-range.low, range.high) / histogram.width())) - 1;
    EXPECT_NEAR(at(std::min(found, farthest)), least, 1e-9) << bits;
  }
}

TEST(Entropy, FineGridsTakeEverything) {
  const std::vector<float> values = draw(5000, 6, 0, false);
  const Range range = range_of(values, spec_of(16, false));
  EXPECT_EQ(range.low, *std::min_element(values.begin(), values.end()));
  EXPECT_EQ(range.high, *std::max_element(values.begin(), values.end()));
}

TEST(Entropy, ZerosMakeNoDifference) {
  std::vector<float> values = draw(20000, 7, 0, true);
  const Range before = range_of(values, spec_of(8, false));
  values.resize(100000, 0.0F);
  EXPECT_EQ(range_of(values, spec_of(8, false)), before);
}

}  // namespace
}  // namespace halftone::entropy_test
