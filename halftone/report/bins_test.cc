#include "halftone/report/bins.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "halftone/base/rng.h"

namespace halftone::report::bins_test {
namespace {

Bins bins_of_numbers(const std::vector<float>& numbers, int count) {
  Histogram histogram;
  histogram.add(numbers);
  return bins_of(histogram, count);
}

TEST(Bins, CountWhatWasSeen) {
  Rng rng(3);
  std::vector<float> numbers(5000);
  for (float& x : numbers) x = 8 * rng.uniform() - 3;
  const Bins bins = bins_of_numbers(numbers, 10);
  EXPECT_EQ(bins.counts.size(), 10U);
  EXPECT_NEAR(static_cast<double>(std::accumulate(bins.counts.begin(), bins.counts.end(), int64_t{0})), 5000, 10);
  const auto [low, high] = std::minmax_element(numbers.begin(), numbers.end());
  EXPECT_EQ(bins.low, *low);
  EXPECT_EQ(bins.high, *high);
  // Each bin against a direct count; the histogram's own bins are 1/512 wide here, 3 numbers each.
  const double width = (bins.high - bins.low) / 10;
  std::vector<int64_t> direct(10);
  for (float x : numbers) ++direct[static_cast<size_t>(std::min(9.0, (x - bins.low) / width))];
  for (size_t b = 0; b < 10; ++b) EXPECT_NEAR(static_cast<double>(bins.counts[b]), static_cast<double>(direct[b]), 6);
}

TEST(Bins, NothingAndOneNumber) {
  EXPECT_EQ(bins_of_numbers({}, 4).counts, std::vector<int64_t>(4));
  const Bins one = bins_of_numbers({2, 2, 2}, 4);
  EXPECT_EQ(one.low, 2);
  EXPECT_EQ(one.high, 2);
  EXPECT_EQ(one.counts, (std::vector<int64_t>{3, 0, 0, 0}));
  EXPECT_EQ(bins_of_numbers({0, 0, 1}, 2).counts, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(bins_of_numbers({-1, 0, 0, 0, 1}, 2).counts[1], 3 + 0) << "zeros lie in the upper half";
}

}  // namespace
}  // namespace halftone::report::bins_test
