#include "halftone/data/internal/permutation.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

namespace halftone::data::permutation_test {
namespace {

std::vector<int64_t> all(int64_t count, uint64_t seed) {
  const Permutation permutation(count, seed);
  std::vector<int64_t> values;
  for (int64_t i = 0; i < count; ++i) values.push_back(permutation(i));
  return values;
}

TEST(Permutation, ReachesEveryIndexOnce) {
  for (const int64_t count : {1, 2, 3, 4, 5, 16, 17, 255, 256, 257, 10007}) {
    for (const uint64_t seed : {0u, 1u, 99u}) {
      std::vector<bool> seen(static_cast<size_t>(count), false);
      for (const int64_t value : all(count, seed)) {
        ASSERT_GE(value, 0);
        ASSERT_LT(value, count);
        EXPECT_FALSE(seen[static_cast<size_t>(value)]) << count;
        seen[static_cast<size_t>(value)] = true;
      }
    }
  }
}

TEST(Permutation, DependsOnTheSeedAndMixes) {
  EXPECT_EQ(all(1000, 7), all(1000, 7));
  EXPECT_NE(all(1000, 7), all(1000, 8));
  // The mean distance an item moves is count / 3 for a random permutation.
  const std::vector<int64_t> values = all(10000, 3);
  double moved = 0;
  for (size_t i = 0; i < values.size(); ++i) moved += std::abs(static_cast<double>(values[i]) - static_cast<double>(i));
  EXPECT_NEAR(moved / 10000, 3333, 150);
}

}  // namespace
}  // namespace halftone::data::permutation_test
