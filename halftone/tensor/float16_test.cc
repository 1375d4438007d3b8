#include "halftone/tensor/float16.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

#include "halftone/base/rng.h"

namespace halftone::float16_test {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

// IEEE 754-2019, 3.4: the value of a binary16 or bfloat16 number from its fields, by the formula.
double value_of_fields(unsigned bits, int mantissa_bits, int exponent_bits) {
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = static_cast<int>(bits >> mantissa_bits) & ((1 << exponent_bits) - 1);
  const double mantissa = (bits & ((1u << mantissa_bits) - 1)) / std::pow(2.0, mantissa_bits);
  const double sign = (bits >> (mantissa_bits + exponent_bits)) != 0 ? -1 : 1;
  if (exponent == (1 << exponent_bits) - 1) return mantissa == 0 ? sign * INFINITY : NAN;
  if (exponent == 0) return sign * mantissa * std::pow(2.0, 1 - bias);
  return sign * (1 + mantissa) * std::pow(2.0, exponent - bias);
}

TEST(Half, EveryPatternHasTheValueOfItsFields) {
  for (unsigned bits = 0; bits < 65536; ++bits) {
    const auto pattern = static_cast<uint16_t>(bits);
    const double half = value_of_fields(bits, 10, 5);
    const double bfloat = value_of_fields(bits, 7, 8);
    if (std::isnan(half)) {
      ASSERT_TRUE(std::isnan(half_to_float(pattern))) << bits;
      ASSERT_TRUE(std::isnan(half_to_float(float_to_half(half_to_float(pattern))))) << bits;
    } else {
      ASSERT_EQ(half_to_float(pattern), half) << bits;
      ASSERT_EQ(float_to_half(half_to_float(pattern)), pattern) << bits;
    }
    if (std::isnan(bfloat)) {
      ASSERT_TRUE(std::isnan(bfloat16_to_float(pattern))) << bits;
      ASSERT_TRUE(std::isnan(bfloat16_to_float(float_to_bfloat16(bfloat16_to_float(pattern))))) << bits;
    } else {
      ASSERT_EQ(bfloat16_to_float(pattern), bfloat) << bits;
      ASSERT_EQ(float_to_bfloat16(bfloat16_to_float(pattern)), pattern) << bits;
    }
  }
}

// Between two neighbouring patterns: below the middle the lower, above it the upper, on it the even one.
void check_rounding(uint16_t lower, float (*to_float)(uint16_t), uint16_t (*from_float)(float)) {
  const auto upper = static_cast<uint16_t>(lower + 1);
  const float middle = static_cast<float>((double{to_float(lower)} + to_float(upper)) / 2);
  const uint16_t even = lower % 2 == 0 ? lower : upper;
  ASSERT_EQ(from_float(middle), even) << lower;
  ASSERT_EQ(from_float(std::nextafter(middle, to_float(lower))), lower);
  ASSERT_EQ(from_float(std::nextafter(middle, to_float(upper))), upper);
  ASSERT_EQ(from_float(-middle), even | 0x8000);
}

TEST(Half, RoundsToNearestEvenBetweenAllNeighbours) {
  for (unsigned bits = 0; bits + 1 < 0x7c00; ++bits) {
    check_rounding(static_cast<uint16_t>(bits), half_to_float, float_to_half);
  }
  for (unsigned bits = 0; bits + 1 < 0x7f80; ++bits) {
    check_rounding(static_cast<uint16_t>(bits), bfloat16_to_float, float_to_bfloat16);
  }
}

TEST(Half, OverflowsToInfinityHalfwayBeyondTheLargest) {
  EXPECT_EQ(float_to_half(65504.0f), 0x7bff);
  EXPECT_EQ(float_to_half(std::nextafter(65520.0f, 0.0f)), 0x7bff);
  EXPECT_EQ(float_to_half(65520.0f), 0x7c00);
  EXPECT_EQ(float_to_half(-1e30f), 0xfc00);
  EXPECT_EQ(float_to_half(kInf), 0x7c00);
  EXPECT_EQ(float_to_half(1e-30f), 0);
  EXPECT_EQ(float_to_half(-1e-30f), 0x8000);
  EXPECT_EQ(float_to_bfloat16(std::numeric_limits<float>::max()), 0x7f80);
  // A NaN whose payload lies only in the bits that are cut off.
  EXPECT_TRUE(std::isnan(bfloat16_to_float(float_to_bfloat16(std::bit_cast<float>(0x7f800001u)))));
}

struct SmallFloat {
  DType dtype;
  float largest;
  float smallest;  // positive
  bool infinity;
  bool nan;
  bool negative_zero;
};

// OCP 8-bit Floating Point Specification (OFP8), table 1; ONNX technical notes on float8 for the FNUZ types; OCP
// Microscaling specification, table 1, for E2M1.
const SmallFloat kSmallFloats[] = {
    {DType::Float8E4M3FN, 448, 0x1p-9f, false, true, true},
    {DType::Float8E4M3FNUZ, 240, 0x1p-10f, false, true, false},
    {DType::Float8E5M2, 57344, 0x1p-16f, true, true, true},
    {DType::Float8E5M2FNUZ, 57344, 0x1p-17f, false, true, false},
    {DType::Float4E2M1, 6, 0.5f, false, false, true},
};

TEST(SmallFloat, HasTheLimitsOfItsSpecification) {
  for (const SmallFloat& format : kSmallFloats) {
    const int patterns = 1 << bits_of(format.dtype);
    float largest = 0;
    float smallest = kInf;
    bool infinity = false, nan = false, negative_zero = false;
    for (int bits = 0; bits < patterns; ++bits) {
      const float x = small_float_to_float(static_cast<uint8_t>(bits), format.dtype);
      infinity |= std::isinf(x);
      nan |= std::isnan(x);
      negative_zero |= x == 0 && std::signbit(x);
      if (std::isfinite(x)) largest = std::max(largest, x);
      if (x > 0) smallest = std::min(smallest, x);
    }
    EXPECT_EQ(largest, format.largest) << name_of(format.dtype);
    EXPECT_EQ(smallest, format.smallest) << name_of(format.dtype);
    EXPECT_EQ(infinity, format.infinity) << name_of(format.dtype);
    EXPECT_EQ(nan, format.nan) << name_of(format.dtype);
    EXPECT_EQ(negative_zero, format.negative_zero) << name_of(format.dtype);
  }
}

TEST(SmallFloat, RoundsLikeASearchThroughAllPatterns) {
  Rng rng(1);
  for (const SmallFloat& format : kSmallFloats) {
    const int patterns = 1 << bits_of(format.dtype);
    std::vector<float> samples = {0.0f, -0.0f, 1e-30f, -1e-30f, 1e30f, -kInf, format.largest, format.largest * 1.01f};
    for (int i = 0; i < patterns; ++i) samples.push_back(small_float_to_float(static_cast<uint8_t>(i), format.dtype));
    for (int i = 0; i < 2000; ++i) {
      samples.push_back(static_cast<float>(rng.normal() * std::exp2(rng.uniform(-20, 17))));
    }
    // Exact middles between neighbours.
    for (int i = 0; i + 1 < patterns / 2; ++i) {
      const float low = small_float_to_float(static_cast<uint8_t>(i), format.dtype);
      const float high = small_float_to_float(static_cast<uint8_t>(i + 1), format.dtype);
      if (std::isfinite(low) && std::isfinite(high)) samples.push_back((low + high) / 2);
    }
    for (const float x : samples) {
      if (std::isnan(x)) continue;
      const float clamped = std::min(std::max(x, -format.largest), format.largest);
      int best = -1;
      float best_distance = kInf;
      for (int bits = 0; bits < patterns; ++bits) {
        const float candidate = small_float_to_float(static_cast<uint8_t>(bits), format.dtype);
        const float distance = std::fabs(candidate - clamped);
        if (!std::isfinite(candidate)) continue;
        if (distance < best_distance || (distance == best_distance && bits % 2 == 0)) {
          best = bits;
          best_distance = distance;
        }
      }
      const float chosen = small_float_to_float(float_to_small_float(x, format.dtype), format.dtype);
      ASSERT_EQ(chosen, small_float_to_float(static_cast<uint8_t>(best), format.dtype))
          << name_of(format.dtype) << " " << x;
    }
    if (format.nan) {
      EXPECT_TRUE(std::isnan(small_float_to_float(float_to_small_float(NAN, format.dtype), format.dtype)));
    }
  }
}

TEST(SmallFloat, E8M0HoldsPowersOfTwo) {
  for (int bits = 0; bits < 255; ++bits) {
    const float x = small_float_to_float(static_cast<uint8_t>(bits), DType::Float8E8M0);
    EXPECT_EQ(x, std::exp2(static_cast<double>(bits - 127)));
    EXPECT_EQ(float_to_small_float(x, DType::Float8E8M0), bits);
  }
  EXPECT_TRUE(std::isnan(small_float_to_float(0xff, DType::Float8E8M0)));
  EXPECT_EQ(float_to_small_float(1.49f, DType::Float8E8M0), 127);
  EXPECT_EQ(float_to_small_float(1.5f, DType::Float8E8M0), 128);
  EXPECT_EQ(float_to_small_float(0.0f, DType::Float8E8M0), 0);
  EXPECT_EQ(float_to_small_float(kInf, DType::Float8E8M0), 254);
  EXPECT_EQ(float_to_small_float(-1.0f, DType::Float8E8M0), 0xff);
}

}  // namespace
}  // namespace halftone::float16_test
