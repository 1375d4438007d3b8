#include "halftone/ptq/bits/allocation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "halftone/base/rng.h"

namespace halftone::ptq::allocation_test {
namespace {

double mean_of(const std::vector<int>& bits) {
  return std::accumulate(bits.begin(), bits.end(), 0.0) / static_cast<double>(bits.size());
}

// Squared rounding error of channels with so many codes each, up to a factor.
double error_of(const std::vector<double>& widths, const std::vector<double>& codes) {
  double error = 0;
  for (size_t i = 0; i < widths.size(); ++i) error += widths[i] * widths[i] / (codes[i] * codes[i]);
  return error;
}

TEST(AllocateBits, EqualChannelsShareEqually) {
  EXPECT_EQ(allocate_bits(std::vector<double>{3, 3, 3}, {4, 1, 8}), (std::vector<int>{4, 4, 4}));
  EXPECT_EQ(allocate_bits(std::vector<double>{3, 3, 3, 3}, {3.5, 1, 8}), (std::vector<int>{4, 4, 3, 3}));
}

// Widths of 1, 8 and 64 have log2(width^(2/3)) of 0, 2 and 4.
TEST(AllocateBits, HandComputed) {
  EXPECT_EQ(allocate_bits(std::vector<double>{1, 8, 64}, {4, 1, 8}), (std::vector<int>{2, 4, 6}));
  EXPECT_EQ(allocate_bits(std::vector<double>{1, 8, 64}, {4, 3, 5}), (std::vector<int>{3, 4, 5}));
  EXPECT_EQ(allocate_bits(std::vector<double>{1, 4096}, {4, 0, 8}), (std::vector<int>{0, 8}));
}

TEST(AllocateBits, DeadChannelsGetNoneAndTheOthersTheirShare) {
  EXPECT_EQ(allocate_bits(std::vector<double>{0, 2, 0, 2}, {3, 1, 8}), (std::vector<int>{0, 6, 0, 6}));
  EXPECT_EQ(allocate_bits(std::vector<double>{0, 0}, {3, 1, 8}), (std::vector<int>{0, 0}));
  EXPECT_TRUE(allocate_bits(std::vector<double>{}, {3, 1, 8}).empty());
}

TEST(AllocateBits, BoundsThatLeaveNoChoiceAreKept) {
  EXPECT_EQ(allocate_bits(std::vector<double>{1, 100}, {1, 3, 8}), (std::vector<int>{3, 3}));
  EXPECT_EQ(allocate_bits(std::vector<double>{1, 100}, {8, 1, 4}), (std::vector<int>{4, 4}));
  EXPECT_EQ(allocate_bits(std::vector<double>{1e-300, 1e300}, {4, 1, 8}), (std::vector<int>{1, 7}));
}

TEST(AllocateBits, TheMeanIsTheBudget) {
  Rng rng(1);
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<double> widths(1 + rng.below(70));
    for (double& width : widths) width = std::exp(3 * rng.normal());
    const double mean = rng.uniform(2.0, 7.0);
    const std::vector<int> bits = allocate_bits(widths, {mean, 1, 8});
    EXPECT_NEAR(mean_of(bits), mean, 0.5 / static_cast<double>(widths.size()) + 1e-9);
    for (size_t a = 0; a < widths.size(); ++a) {
      for (size_t b = 0; b < widths.size(); ++b) {
        EXPECT_TRUE(widths[a] <= widths[b] || bits[a] >= bits[b]) << widths[a] << " against " << widths[b];
      }
    }
  }
}

// Equation 10 by brute force: no other way to deal out the same number of codes makes a smaller error, so that codes go
// to channels as width^(2/3).
TEST(AllocateBits, CodesAreDealtOutAsBruteForceDoes) {
  const std::vector<double> widths = {1, 3.5, 9};
  const int codes = 120;
  double least = INFINITY;
  std::vector<double> best;
  for (int a = 1; a < codes; ++a) {
    for (int b = 1; a + b < codes; ++b) {
      const std::vector<double> dealt = {double(a), double(b), double(codes - a - b)};
      const double error = error_of(widths, dealt);
      if (error < least) {
        least = error;
        best = dealt;
      }
    }
  }
  double sum = 0;
  for (double width : widths) sum += std::pow(width, 2.0 / 3);
  for (size_t i = 0; i < widths.size(); ++i) {
    EXPECT_NEAR(best[i], codes * std::pow(widths[i], 2.0 / 3) / sum, 1.0);
  }
  // Whole bits: as good as that within what rounding to whole bits costs, and better than equal ones.
  const std::vector<int> bits = allocate_bits(widths, {4, 1, 8});
  std::vector<double> dealt;
  for (int b : bits) dealt.push_back(std::ldexp(1.0, b));
  EXPECT_LT(error_of(widths, dealt), error_of(widths, {16, 16, 16}));
}

}  // namespace
}  // namespace halftone::ptq::allocation_test
