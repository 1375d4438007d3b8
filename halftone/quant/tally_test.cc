#include "halftone/quant/tally.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/rng.h"
#include "halftone/quant/grid_error.h"

namespace halftone::tally_test {
namespace {

std::vector<float> normals(size_t n, uint64_t seed) {
  Rng rng(seed);
  std::vector<float> values(n);
  for (float& v : values) v = static_cast<float>(rng.normal());
  return values;
}

Tally tally_of(const std::vector<float>& values, const QuantSpec& spec = {}) {
  Tally tally(spec);
  tally.add(values, measure(values));
  return tally;
}

bool same(const std::vector<Mass>& a, const std::vector<Mass>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Mass& x, const Mass& y) {
    return x.low == y.low && x.high == y.high && x.count == y.count;
  });
}

TEST(Tally, FewNumbersAreKeptAsTheyAre) {
  const std::vector<Mass> masses = tally_of({3, -1.5F, 0, 3, -0.0F, 0.25F}).masses();
  ASSERT_EQ(masses.size(), 3U);
  EXPECT_EQ(masses[0].low, -1.5);
  EXPECT_EQ(masses[1].low, 0.25);
  EXPECT_EQ(masses[2].low, 3);
  EXPECT_EQ(masses[2].high, 3);
  EXPECT_EQ(masses[2].count, 2);
}

TEST(Tally, SplitsAndOrdersMakeNoDifference) {
  for (size_t n : {Tally::kExact - 1, Tally::kExact, Tally::kExact + 1, size_t{9000}}) {
    const std::vector<float> values = normals(n, n);
    const Tally whole = tally_of(values);
    for (size_t cut : {size_t{0}, size_t{1}, n / 2, n - 1}) {
      const std::vector<float> first(values.begin(), values.begin() + static_cast<ptrdiff_t>(cut));
      const std::vector<float> second(values.begin() + static_cast<ptrdiff_t>(cut), values.end());
      Tally ahead = tally_of(first);
      ahead.merge(tally_of(second));
      EXPECT_TRUE(same(ahead.masses(), whole.masses())) << n << " " << cut;
      EXPECT_EQ(ahead.histogram(), whole.histogram());
      Tally behind = tally_of(second);
      behind.add(first, measure(first));
      EXPECT_TRUE(same(behind.masses(), whole.masses())) << n << " " << cut;
    }
  }
}

TEST(Tally, MassesHoldEveryNumberButZeros) {
  std::vector<float> values = normals(20000, 3);
  for (size_t i = 0; i < values.size(); i += 4) values[i] = std::max(values[i], 0.0F);
  const Tally tally = tally_of(values);
  double count = 0, end = -INFINITY;
  for (const Mass& mass : tally.masses()) {
    EXPECT_GE(mass.low, end);
    EXPECT_GE(mass.high, mass.low);
    end = mass.high;
    const auto inside =
        std::count_if(values.begin(), values.end(), [&](float x) { return x != 0 && x >= mass.low && x <= mass.high; });
    EXPECT_GE(static_cast<double>(inside), mass.count);
    count += mass.count;
  }
  EXPECT_EQ(count, static_cast<double>(tally.extent().count - tally.extent().zeros));
}

// Masses against many numbers spread over them.
TEST(GridError, IsTheIntegralOverEachMass) {
  const std::vector<Mass> masses = {{-2, -1.25, 30}, {-1.25, -1, 5}, {-0.5, 0.75, 100}, {1, 1, 4}, {1.5, 4, 11}};
  for (int bits : {1, 2, 3, 8, 12}) {
    for (const Range& range : {Range{-2, 4}, Range{-1, 1}, Range{0, 3}, Range{-0.3F, 0.01F}}) {
      QuantSpec spec;
      spec.bits = bits;
      const QuantParams grid = choose_params(spec, {range.low}, {range.high});
      double expected = 0;
      for (const Mass& mass : masses) {
        constexpr int kPieces = 40000;
        for (int i = 0; i < kPieces; ++i) {
          const double x = mass.low + (mass.high - mass.low) * (i + 0.5) / kPieces;
          double nearest = INFINITY;
          for (int64_t q :
               {grid.q_min, grid.q_max, static_cast<int64_t>(std::floor(x / grid.scale[0])) + grid.zero_point[0],
                static_cast<int64_t>(std::floor(x / grid.scale[0])) + grid.zero_point[0] + 1}) {
            q = std::clamp(q, grid.q_min, grid.q_max);
            nearest =
                std::min(nearest, std::abs(x - double{grid.scale[0]} * static_cast<double>(q - grid.zero_point[0])));
          }
          expected += nearest * nearest * mass.count / kPieces;
        }
      }
      EXPECT_NEAR(GridError(spec, masses)(range) / expected, 1, 1e-3) << bits << " " << range.low << " " << range.high;
    }
  }
}

TEST(GridError, ClippingIsTheDistanceToTheRange) {
  const std::vector<Mass> masses = {{-2, -1, 3}, {0.5, 0.5, 2}, {1, 4, 6}};
  const GridError error({}, masses);
  EXPECT_DOUBLE_EQ(error.clipping({-2, 4}), 0);
  // 3 * integral of d^2 over [0, 1] is 1; 2 * integral of d^2 over [0, 2] is 16 / 3; 2 * 0.25^2.
  EXPECT_DOUBLE_EQ(error.clipping({-1, 2}), 1 + 16.0 / 3);
  EXPECT_DOUBLE_EQ(error.clipping({-2, 0.25F}), 2 * 0.0625 + 2 * (std::pow(3.75, 3) - std::pow(0.75, 3)) / 3);
}

}  // namespace
}  // namespace halftone::tally_test
