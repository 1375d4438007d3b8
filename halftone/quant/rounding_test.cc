#include "halftone/quant/rounding.h"

#include <gtest/gtest.h>

#include <cmath>

#include "halftone/base/error.h"
#include "halftone/base/rng.h"
#include "halftone/quant/weight_grid.h"

namespace halftone::rounding_test {
namespace {

QuantParams binary_grid(float scale) {
  QuantParams params{DType::UInt2, 0, 1, {scale}, {0}};
  params.levels = {-1, 1};
  return params;
}

// Grids of every kind that a method can be used with.
std::vector<QuantParams> grids_for(const RoundingInfo& info) {
  if (info.needs_two_numbers) return {binary_grid(0.75F)};
  QuantParams levels{DType::UInt4, 0, 4, {0.5F}, {0}};
  levels.levels = {-1, -0.25F, 0, 0.25F, 1};
  QuantParams uneven{DType::UInt8, 0, 255, {0.013F}, {77}};
  return {{DType::Int4, -7, 7, {0.1F}, {0}}, uneven, levels};
}

TEST(Roundings, GiveNumbersOfTheGridThatNearestRoundingLeavesAlone) {
  Rng rng(7);
  std::vector<float> values;
  for (int i = 0; i < 500; ++i) values.push_back(static_cast<float>(rng.normal()));
  values[0] = 0;
  values[1] = 1e30F;
  values[2] = -1e30F;
  const Tensor x = Tensor::from<float>({500}, values);
  for (const RoundingInfo& info : all_roundings()) {
    for (const QuantParams& params : grids_for(info)) {
      const auto rounding = make_rounding(info.name);
      const Tensor y = rounding->round(x, params);
      EXPECT_TRUE(fake_quantize(y, params).same_as(y)) << info.name;
      EXPECT_TRUE(rounding->round(x, params).same_as(y)) << info.name << " must be deterministic";
      if (info.needs_two_numbers) continue;
      EXPECT_TRUE(rounding->round(y, params).same_as(y)) << info.name << ": numbers on the grid stay";
      const Tensor nearest = fake_quantize(x, params);
      EXPECT_EQ(y.data<float>()[1], nearest.data<float>()[1]) << info.name << ": what lies beyond becomes the end";
      EXPECT_EQ(y.data<float>()[2], nearest.data<float>()[2]) << info.name;
    }
  }
}

// The mean of n draws of a variable that is `upper` with probability f and else `lower` lies within four standard
// deviations of its expectation.
void expect_frequency(const Tensor& rounded, float lower, float upper, double f, const std::string& what) {
  int64_t up = 0;
  for (float y : rounded.data<float>()) {
    ASSERT_TRUE(y == lower || y == upper) << what << ": " << y;
    up += y == upper;
  }
  const auto n = static_cast<double>(rounded.size());
  EXPECT_LE(std::abs(static_cast<double>(up) / n - f), 4 * std::sqrt(f * (1 - f) / n)) << what;
}

Tensor repeated(float x, int64_t n) { return Tensor::from<float>({n}, std::vector<float>(static_cast<size_t>(n), x)); }

TEST(Stochastic, IsUnbiased) {
  constexpr int64_t kDraws = 40000;
  const QuantParams even{DType::Int8, -127, 127, {0.5F}, {0}};
  for (float x : {0.05F, 0.125F, -0.3F, 1.49F, -20.0625F}) {
    const double steps = double{x} / 0.5;
    const double f = steps - std::floor(steps);
    for (const char* name : {"stochastic", "stochastic:1", "stochastic:18446744073709551615"}) {
      const auto lower = static_cast<float>(std::floor(steps) * 0.5);
      expect_frequency(make_rounding(name)->round(repeated(x, kDraws), even), lower, lower + 0.5F, f,
                       fmt::format("{} {}", name, x));
    }
  }
  QuantParams uneven{DType::UInt4, 0, 3, {2.0F}, {0}};
  uneven.levels = {-1, 0, 0.25F, 1};
  expect_frequency(make_rounding("stochastic:5")->round(repeated(-0.5F, kDraws), uneven), -2, 0, 0.75, "levels");
  expect_frequency(make_rounding("stochastic:5")->round(repeated(0.8F, kDraws), uneven), 0.5F, 2, 0.2, "levels");
}

TEST(StochasticBinary, FollowsTheHardSigmoid) {
  constexpr int64_t kDraws = 40000;
  const QuantParams params = binary_grid(0.5F);
  for (float x : {-0.6F, -0.5F, -0.25F, 0.0F, 0.1F, 0.5F, 3.0F}) {
    const double f = std::clamp((double{x} / 0.5 + 1) / 2, 0.0, 1.0);
    expect_frequency(make_rounding("stochastic_binary:9")->round(repeated(x, kDraws), params), -0.5F, 0.5F, f,
                     fmt::format("{}", x));
  }
}

TEST(Binary, IsTheSignWithPlusForZero) {
  const Tensor x = Tensor::from<float>({5}, std::vector<float>{-3, -1e-30F, -0.0F, 0, 0.1F});
  const std::vector<float> expected = {-0.5F, -0.5F, 0.5F, 0.5F, 0.5F};
  const QuantParams params = binary_grid(0.5F);
  EXPECT_TRUE(make_rounding("binary")->round(x, params).same_as(Tensor::from<float>({5}, expected)));
  EXPECT_TRUE(fake_quantize(x, params).same_as(Tensor::from<float>({5}, expected)));
}

TEST(Stochastic, DependsOnSeedAndPositionAlone) {
  const QuantParams params{DType::Int8, -127, 127, {1.0F}, {0}};
  std::vector<float> values;
  Rng rng(3);
  for (int i = 0; i < 1000; ++i) values.push_back(static_cast<float>(rng.uniform(-3, 3)));
  const Tensor all = Tensor::from<float>({1000}, values);
  const Tensor rounded = make_rounding("stochastic:4")->round(all, params);
  const Tensor part = Tensor::from<float>({10}, std::vector<float>(values.begin(), values.begin() + 10));
  const Tensor rounded_part = make_rounding("stochastic:4")->round(part, params);
  for (size_t i = 0; i < 10; ++i) EXPECT_EQ(rounded_part.data<float>()[i], rounded.data<float>()[i]);
  EXPECT_TRUE(make_rounding("stochastic:4")->round(all.reshaped({10, 100}), params).reshaped({1000}).same_as(rounded));
  EXPECT_FALSE(make_rounding("stochastic:5")->round(all, params).same_as(rounded));
  // Neighbouring positions and neighbouring seeds have nothing to do with each other.
  const Tensor half = repeated(0.5F, 20000);
  const Tensor a = make_rounding("stochastic:4")->round(half, params),
               b = make_rounding("stochastic:5")->round(half, params);
  int64_t same = 0, next = 0;
  for (size_t i = 0; i < 20000; ++i) {
    same += a.data<float>()[i] == b.data<float>()[i];
    next += i > 0 && a.data<float>()[i] == a.data<float>()[i - 1];
  }
  EXPECT_NEAR(static_cast<double>(same), 10000, 4 * std::sqrt(5000));
  EXPECT_NEAR(static_cast<double>(next), 10000, 4 * std::sqrt(5000));
}

TEST(MakeRounding, RefusesWhatItDoesNotKnow) {
  for (const char* name : {"", "nearest", "nearest_even:1", "binary:2", "stochastic:", "stochastic:-1", "stochastic:x",
                           "stochastic:1.5", "stochastic:18446744073709551616"}) {
    EXPECT_THROW(make_rounding(name), Error) << name;
  }
}

}  // namespace
}  // namespace halftone::rounding_test
