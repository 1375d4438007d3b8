// The oracle quantizes the raw numbers on every grid of a fine net of ranges.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/rng.h"
#include "halftone/quant/observer.h"

namespace halftone::mse_test {
namespace {

// Of all values, or something beyond `enough`.
double error_of(const std::vector<float>& values, const QuantSpec& spec, const Range& range, double enough = INFINITY) {
  const QuantParams grid = choose_params(spec, {range.low}, {range.high});
  double sum = 0;
  for (float x : values) {
    if (sum > enough) break;
    const int32_t q = quantize(x, grid.scale[0], grid.zero_point[0], grid.q_min, grid.q_max);
    sum += std::pow(double{x} - dequantize(q, grid.scale[0], grid.zero_point[0]), 2);
  }
  return sum;
}

double least_error(const std::vector<float>& values, const QuantSpec& spec, int steps) {
  const float min = std::min(0.0F, *std::min_element(values.begin(), values.end()));
  const float max = std::max(0.0F, *std::max_element(values.begin(), values.end()));
  double least = INFINITY;
  for (int i = min < 0 ? 1 : steps; i <= steps; ++i) {
    for (int j = max > 0 ? 1 : steps; j <= steps; ++j) {
      if (spec.symmetric && min < 0 && max > 0 && i != j) continue;
      const auto share = [&](int k) { return static_cast<float>(k) / static_cast<float>(steps); };
      least = std::min(least, error_of(values, spec, {min * share(i), max * share(j)}, least));
    }
  }
  return least;
}

QuantSpec spec_of(int bits, bool is_signed, bool symmetric, bool narrow = false) {
  QuantSpec spec;
  spec.bits = bits;
  spec.is_signed = is_signed;
  spec.symmetric = symmetric;
  spec.narrow_range = narrow;
  spec.observer = "mse";
  return spec;
}

Range range_of(const std::vector<float>& values, const QuantSpec& spec) {
  const auto observer = make_observer(spec);
  observer->observe(values, "x");
  return observer->range();
}

// `shape` turns a normal number into one of the distribution.
template <typename F>
std::vector<float> draw(size_t n, uint64_t seed, const F& shape) {
  Rng rng(seed);
  std::vector<float> values(n);
  for (float& v : values) v = static_cast<float>(shape(rng.normal()));
  return values;
}

struct Distribution {
  const char* name;
  double (*shape)(double);
};
const Distribution kDistributions[] = {
    {"normal", [](double x) { return x; }},
    {"shifted", [](double x) { return 2 * x + 1.5; }},
    {"heavy", [](double x) { return x * x * x; }},
    {"rectified", [](double x) { return std::max(x, 0.0); }},
    {"clipped", [](double x) { return std::clamp(3 * x, 0.0, 6.0); }},
    {"negative", [](double x) { return -std::abs(x) * 1e-3; }},
    {"lopsided", [](double x) { return x < 0 ? 0.05 * x : x * x; }},
};

TEST(Mse, IsAsGoodAsTheBestOfAllRanges) {
  for (const Distribution& distribution : kDistributions) {
    for (size_t n : {9U, 400U, 3000U}) {
      const std::vector<float> values = draw(n, n, distribution.shape);
      for (int bits : {1, 2, 4, 8}) {
        for (const QuantSpec& spec :
             {spec_of(bits, false, false), spec_of(bits, true, false), spec_of(std::max(bits, 2), true, true, true)}) {
          const double found = error_of(values, spec, range_of(values, spec));
          // Few numbers on coarse grids: the error has a ripple for every number, which no net of ranges resolves.
          const double slack = n < 100 ? 1.1 : 1.02;
          const double oracle = least_error(values, spec, n < 1000 ? 50 : 20);
          EXPECT_LE(found, slack * oracle) << distribution.name << " n=" << n << " bits=" << bits
                                           << (spec.symmetric   ? " symmetric"
                                               : spec.is_signed ? " signed"
                                                                : "");
        }
      }
    }
  }
}

TEST(Mse, FineGridsTakeEverything) {
  const std::vector<float> values = draw(5000, 1, [](double x) { return x; });
  const QuantSpec spec = spec_of(16, false, false);
  const Range range = range_of(values, spec);
  // Clipping by t costs t^2 for at least one number, a wider step t / 2^16 * s / 6 for each: t is about n * s / 2^16.
  EXPECT_NEAR(range.low, *std::min_element(values.begin(), values.end()), 1e-3);
  EXPECT_NEAR(range.high, *std::max_element(values.begin(), values.end()), 1e-3);
}

TEST(Mse, NumbersOnAGridHaveNoError) {
  for (int bits : {2, 4, 8}) {
    for (size_t n : {300U, 5000U}) {
      const int codes = 1 << bits;
      std::vector<float> values;
      for (size_t i = 0; i < n; ++i) values.push_back(0.25F * static_cast<float>(static_cast<int>(i) % codes));
      const QuantSpec spec = spec_of(bits, false, false);
      EXPECT_EQ(error_of(values, spec, range_of(values, spec)), 0) << bits << " " << n;
    }
  }
}

TEST(Mse, OneOutlierIsClipped) {
  std::vector<float> values = draw(20000, 2, [](double x) { return x; });
  values[7] = 30;
  const QuantSpec spec = spec_of(4, false, false);
  EXPECT_LT(range_of(values, spec).high, 12);
  EXPECT_LE(error_of(values, spec, range_of(values, spec)), 1.02 * least_error(values, spec, 60));
}

}  // namespace
}  // namespace halftone::mse_test
