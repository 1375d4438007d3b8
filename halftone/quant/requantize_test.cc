// Requantization on numbers worked out by hand, and against exact rational arithmetic.
#include "halftone/quant/requantize.h"

#include <gtest/gtest.h>

#include <limits>

#include "halftone/base/rng.h"

namespace halftone::requantize_test {
namespace {

constexpr int32_t kMost = std::numeric_limits<int32_t>::max(), kLeast = std::numeric_limits<int32_t>::min();

TEST(Dyadic, OfNumbersWorkedOutByHand) {
  EXPECT_EQ(make_dyadic(1.0F), (Dyadic{1 << 30, 30}));
  EXPECT_EQ(make_dyadic(0.5F), (Dyadic{1 << 30, 31}));
  EXPECT_EQ(make_dyadic(0.75F), (Dyadic{3 << 29, 31}));
  EXPECT_EQ(make_dyadic(-0.375F), (Dyadic{-(3 << 29), 32}));
  EXPECT_EQ(make_dyadic(1.0F + 0x1p-23F), (Dyadic{(1 << 30) + (1 << 7), 30}));
  EXPECT_EQ(make_dyadic(0.0F), Dyadic{});
  // The ends: 2^29 is the last power that the shift tells apart, 2^-32 the last that a sum can feel.
  EXPECT_EQ(make_dyadic(0x1p29F), (Dyadic{1 << 30, 1}));
  EXPECT_EQ(make_dyadic(0x1p100F), (Dyadic{1 << 30, 1}));
  EXPECT_EQ(make_dyadic(0x1p-32F), (Dyadic{1 << 30, 62}));
  EXPECT_EQ(make_dyadic(0x1.fffffep-33F), Dyadic{});
  EXPECT_EQ(make_dyadic(std::numeric_limits<float>::denorm_min()), Dyadic{});
}

TEST(Dyadic, RoundsHalvesUpwards) {
  const auto half = [](int32_t acc) { return dyadic_steps(acc, make_dyadic(0.5F)); };
  EXPECT_EQ(half(5), 3);
  EXPECT_EQ(half(4), 2);
  EXPECT_EQ(half(-5), -2);
  EXPECT_EQ(half(-4), -2);
  EXPECT_EQ(dyadic_steps(5, make_dyadic(-0.5F)), -2);
  EXPECT_EQ(dyadic_steps(kLeast, make_dyadic(0x1p-32F)), 0);  // -1/2
  EXPECT_EQ(dyadic_steps(kLeast, make_dyadic(0x1.000002p-32F)), -1);
  EXPECT_EQ(dyadic_steps(kMost, make_dyadic(0x1p-32F)), 0);
}

TEST(Dyadic, IsExactWhereFloatRoundsTheSum) {
  // 2^24 + 1 has no float32; times 1e-5 it is 167.77217.
  EXPECT_EQ(requantize_dyadic((1 << 24) + 1, make_dyadic(1e-5F), 0, 0, 255), 168);
  // 2^24 + 1 halves exactly to a tie that float32 can't see.
  EXPECT_EQ(dyadic_steps((1 << 24) + 1, make_dyadic(0.5F)), (1 << 23) + 1);
}

TEST(Dyadic, SaturatesWhateverTheMultiplier) {
  for (const float multiplier : {1.0F, 3e38F, 0x1p29F, 0x1p31F}) {
    for (const int32_t acc : {40000, kMost}) {
      EXPECT_EQ(requantize_dyadic(acc, make_dyadic(multiplier), 3, 0, 200), 200);
      EXPECT_EQ(requantize_dyadic(-acc, make_dyadic(multiplier), 3, 5, 200), 5);
      EXPECT_EQ(requantize_dyadic(acc, make_dyadic(-multiplier), 3, 5, 200), 5);
    }
    EXPECT_EQ(requantize_dyadic(kLeast, make_dyadic(multiplier), -7, -128, 127), -128);
    EXPECT_EQ(requantize_dyadic(0, make_dyadic(multiplier), 3, 0, 200), 3);
  }
  // A zero point outside of [low, high] is left by no sum.
  EXPECT_EQ(requantize_dyadic(0, make_dyadic(1), 0, 7, 9), 7);
}

TEST(Dyadic, EqualsRationalArithmetic) {
  Rng rng(4);
  for (int i = 0; i < 20000; ++i) {
    // Of any exponent that matters, and of any sign.
    const double magnitude = std::ldexp(rng.uniform(0.5, 1), static_cast<int>(rng.below(64)) - 33);
    const auto multiplier = static_cast<float>(rng.below(2) == 0 ? magnitude : -magnitude);
    auto acc = static_cast<int32_t>(static_cast<uint32_t>(rng.next()));
    if (rng.below(4) == 0) acc >>= static_cast<int>(rng.below(31));
    if (rng.below(16) == 0) acc = rng.below(2) == 0 ? kLeast : kMost;
    // A product of 24 and 32 bits is exact in long double, and so is adding a half where that matters.
    const long double exact = static_cast<long double>(acc) * static_cast<long double>(multiplier);
    const long double steps = std::floor(exact + 0.5L);
    const long double expected = std::min(std::max(steps, -32768.0L - 7), 32767.0L - 7) + 7;
    ASSERT_EQ(requantize_dyadic(acc, make_dyadic(multiplier), 7, -32768, 32767), static_cast<int32_t>(expected))
        << acc << " * " << multiplier;
  }
}

TEST(DyadicSum, TakesTheFinestShiftThatFits) {
  // 255 * 2^22 * 2 + 2^21 < 2^31 and twice that is not.
  EXPECT_EQ(make_dyadic_sum(1, 255, 1, 255), (DyadicSum{1 << 22, 1 << 22, 22}));
  // 128 and 127: 255 * 2^23 + 2^22 = 2143289344 < 2^31.
  EXPECT_EQ(make_dyadic_sum(1, 128, 1, 127), (DyadicSum{1 << 23, 1 << 23, 23}));
  EXPECT_EQ(make_dyadic_sum(0x1p-20F, 255, 0x1p-10F, 255), (DyadicSum{1 << 10, 1 << 20, 30}));
  // 2.5 and 3.5 multiples round to even.
  EXPECT_EQ(make_dyadic_sum(2.5F * 0x1p-30F, 255, 3.5F * 0x1p-30F, 255), (DyadicSum{2, 4, 30}));
  // 16-bit codes: only the multipliers are bounded.
  EXPECT_EQ(make_dyadic_sum(1, 65535, 1, 65535), (DyadicSum{1 << 30, 1 << 30, 30}));
  EXPECT_EQ(make_dyadic_sum(3, 65535, 0.5F, 255), (DyadicSum{3 << 29, 1 << 28, 29}));
  // 255 * 2^21 * 2 + 255 * 2^21 * 2 + 1 < 2^31; no shift below 1.
  EXPECT_EQ(make_dyadic_sum(0x1p21F, 255, 0x1p21F, 255), (DyadicSum{1 << 22, 1 << 22, 1}));
  EXPECT_EQ(make_dyadic_sum(0x1p22F, 255, 0x1p22F, 255), std::nullopt);
  EXPECT_EQ(make_dyadic_sum(3e38F, 255, 1, 255), std::nullopt);
}

TEST(DyadicSum, OfNumbersWorkedOutByHand) {
  const DyadicSum sum = *make_dyadic_sum(0.5F, 255, 0.25F, 255);
  EXPECT_EQ(sum, (DyadicSum{1 << 22, 1 << 21, 23}));
  EXPECT_EQ(requantize_dyadic_sum(3, 4, sum, 10, 0, 255), 13);   // 2.5 -> 3
  EXPECT_EQ(requantize_dyadic_sum(-3, -4, sum, 10, 0, 255), 8);  // -2.5 -> -2
  EXPECT_EQ(requantize_dyadic_sum(1, -3, sum, 10, 0, 255), 10);  // -0.25 -> 0
  EXPECT_EQ(requantize_dyadic_sum(255, 255, sum, 100, 0, 255), 255);
  EXPECT_EQ(requantize_dyadic_sum(-255, -255, sum, 100, 7, 255), 7);
  // With 1.5 steps, 3 * 2^22, as the second summand.
  EXPECT_EQ(requantize_dyadic_sum(1, int64_t{3} << 22, sum, 10, 0, 255), 12);
}

TEST(DyadicSum, OfNarrowCodesFitsInt32) {
  Rng rng(5);
  for (int i = 0; i < 3000; ++i) {
    const auto a = static_cast<float>(std::ldexp(rng.uniform(0.5, 1), static_cast<int>(rng.below(20)) - 10));
    const auto b = static_cast<float>(std::ldexp(rng.uniform(0.5, 1), static_cast<int>(rng.below(20)) - 10));
    const auto reach_a = static_cast<int64_t>(1 + rng.below(255)), reach_b = static_cast<int64_t>(1 + rng.below(255));
    const auto scaled = [](float m, int shift) { return static_cast<int64_t>(std::nearbyint(std::ldexp(m, shift))); };
    const auto fits = [&](int shift) {
      return reach_a * scaled(a, shift) + reach_b * scaled(b, shift) + (int64_t{1} << (shift - 1)) <= kMost;
    };
    const std::optional<DyadicSum> sum = make_dyadic_sum(a, reach_a, b, reach_b);
    ASSERT_TRUE(sum.has_value());
    ASSERT_TRUE(fits(sum->shift));
    ASSERT_EQ(sum->multiplier_a, scaled(a, sum->shift));
    ASSERT_EQ(sum->multiplier_b, scaled(b, sum->shift));
    ASSERT_TRUE(sum->shift == 30 || !fits(sum->shift + 1));
  }
}

}  // namespace
}  // namespace halftone::requantize_test
