#include "halftone/base/rng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace halftone::rng_test {
namespace {

TEST(Rng, SameSeedSameSequenceOtherStreamOtherSequence) {
  Rng a(7), b(7), c(7, 1);
  int equal_to_other_stream = 0;
  for (int i = 0; i < 100; ++i) {
    const uint64_t x = a.next();
    EXPECT_EQ(x, b.next());
    equal_to_other_stream += x == c.next();
  }
  EXPECT_EQ(equal_to_other_stream, 0);
}

TEST(Rng, BelowIsUniform) {
  Rng rng(1);
  constexpr int kBound = 7, kDraws = 70000;
  int counts[kBound] = {};
  for (int i = 0; i < kDraws; ++i) ++counts[rng.below(kBound)];
  for (int count : counts) EXPECT_NEAR(count, kDraws / kBound, 5 * std::sqrt(kDraws / kBound));
}

TEST(Rng, UniformAndNormalHaveTheirMoments) {
  Rng rng(2);
  constexpr int kDraws = 100000;
  double sum_uniform = 0, sum_normal = 0, sum_square = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double u = rng.uniform();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum_uniform += u;
    const double z = rng.normal();
    sum_normal += z;
    sum_square += z * z;
  }
  EXPECT_NEAR(sum_uniform / kDraws, 0.5, 5 * std::sqrt(1.0 / 12 / kDraws));
  EXPECT_NEAR(sum_normal / kDraws, 0, 5 / std::sqrt(kDraws));
  EXPECT_NEAR(sum_square / kDraws, 1, 5 * std::sqrt(2.0 / kDraws));
}

TEST(Rng, ShuffleKeepsEveryItem) {
  std::vector<int> items(100);
  for (int i = 0; i < 100; ++i) items[i] = i;
  std::vector<int> shuffled = items;
  Rng(3).shuffle(shuffled);
  EXPECT_NE(shuffled, items);
  std::sort(shuffled.begin(), shuffled.end());
  EXPECT_EQ(shuffled, items);
}

}  // namespace
}  // namespace halftone::rng_test
