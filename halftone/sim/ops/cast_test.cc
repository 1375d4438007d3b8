// Casts to small types and to and from text.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "halftone/sim/test_node.h"

namespace halftone::sim::cast_test {
namespace {

constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

TEST(Cast, SmallTypes) {
  const auto cast = [](const Tensor& x, DType to, Attributes attributes = {}) {
    attributes.emplace_back("to", static_cast<int64_t>(to));
    return run_node("Cast", 24, {x}, attributes).at(0);
  };
  EXPECT_EQ(to_vector<int64_t>(cast(floats({-9, -8, 7, 8}), DType::Int4)), (std::vector<int64_t>{7, -8, 7, -8}));
  EXPECT_EQ(to_vector<int64_t>(cast(vector_of({200, -129}), DType::Int8)), (std::vector<int64_t>{-56, 127}));
  // The largest number, the tie that stays with it, the first number beyond; OCP 8-bit formats.
  const Tensor edge = floats({448.0f, 464.0f, 464.25f, -1e9f});
  EXPECT_EQ(to_vector<float>(cast(edge, DType::Float8E4M3FN)), (std::vector<float>{448, 448, 448, -448}));
  const std::vector<float> open = to_vector<float>(cast(edge, DType::Float8E4M3FN, {{"saturate", int64_t{0}}}));
  EXPECT_EQ(open[1], 448);
  EXPECT_TRUE(std::isnan(open[2]) && std::isnan(open[3]));
  const Tensor wide = floats({57344.0f, 61440.0f, -61440.0f});
  EXPECT_EQ(to_vector<float>(cast(wide, DType::Float8E5M2, {{"saturate", int64_t{0}}})),
            (std::vector<float>{57344, INFINITY, -INFINITY}));
  const Tensor between = floats({1.1f, 1.5f, 1.0f});
  const auto rounded = [&](const char* mode) {
    return to_vector<float>(cast(between, DType::Float8E8M0, {{"round_mode", std::string(mode)}}));
  };
  EXPECT_EQ(rounded("up"), (std::vector<float>{2, 2, 1}));
  EXPECT_EQ(rounded("down"), (std::vector<float>{1, 1, 1}));
  EXPECT_EQ(rounded("nearest"), (std::vector<float>{1, 2, 1}));
}

TEST(Cast, Texts) {
  const auto cast = [](const Tensor& x, DType to) {
    return run_node("Cast", 13, {x}, {{"to", static_cast<int64_t>(to)}}).at(0);
  };
  const Tensor texts = Tensor::from_strings({5}, {"3.5", "-1e3", "+INF", "-inf", "9007199254740993"});
  EXPECT_EQ(to_vector<double>(cast(texts, DType::Double)),
            (std::vector<double>{3.5, -1000, INFINITY, -INFINITY, 9007199254740992.0}));
  EXPECT_EQ(cast(Tensor::from_strings({1}, {"9007199254740993"}), DType::Int64).data<int64_t>()[0], 9007199254740993);
  for (const char* bad : {"", "x", "1.5x", "1 ", "+", "--1"}) {
    EXPECT_THROW(cast(Tensor::from_strings({1}, {bad}), DType::Float), Error) << bad;
  }
  EXPECT_EQ(cast(floats({0.1f, 314.15926f, -INFINITY, kNaN}), DType::String).strings(),
            (std::vector<std::string>{"0.1", "314.15927", "-INF", "NaN"}));
  EXPECT_EQ(cast(vector_of({-5, kLowest}), DType::String).strings(),
            (std::vector<std::string>{"-5", "-9223372036854775808"}));
}

}  // namespace
}  // namespace halftone::sim::cast_test
