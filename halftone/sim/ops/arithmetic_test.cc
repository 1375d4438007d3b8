// Element-wise operators where ONNX's test data does not look: integer edges, NaN, ties, opsets beyond 17.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "halftone/sim/test_node.h"

namespace halftone::sim::arithmetic_test {
namespace {

constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

Tensor typed(DType dtype, std::vector<int64_t> values) { return convert(vector_of(std::move(values)), dtype); }

std::vector<int64_t> integers_of(const std::string& op, const std::vector<Tensor>& operands,
                                 const Attributes& attributes = {}) {
  return to_vector<int64_t>(run_node(op, 18, operands, attributes).at(0));
}

TEST(Arithmetic, IntegersWrap) {
  EXPECT_EQ(integers_of("Add", {typed(DType::UInt8, {250}), typed(DType::UInt8, {10})}), std::vector<int64_t>{4});
  EXPECT_EQ(integers_of("Mul", {typed(DType::Int8, {100}), typed(DType::Int8, {3})}), std::vector<int64_t>{44});
  EXPECT_EQ(integers_of("Sub", {vector_of({kLowest}), vector_of({1})}),
            std::vector<int64_t>{std::numeric_limits<int64_t>::max()});
  EXPECT_EQ(integers_of("Neg", {typed(DType::Int8, {-128, 5})}), (std::vector<int64_t>{-128, -5}));
  EXPECT_EQ(integers_of("Abs", {vector_of({kLowest, -5})}), (std::vector<int64_t>{kLowest, 5}));
}

TEST(Arithmetic, DivisionTruncatesAndRefusesZero) {
  EXPECT_EQ(integers_of("Div", {vector_of({-7, 7, -7, kLowest}), vector_of({2, -2, -2, -1})}),
            (std::vector<int64_t>{-3, -3, 3, kLowest}));
  const Tensor huge = Tensor::from({1}, std::vector<uint64_t>{uint64_t{1} << 63});
  const Tensor three = Tensor::from({1}, std::vector<uint64_t>{3});
  EXPECT_EQ(run_node("Div", 14, {huge, three})[0].data<uint64_t>()[0], (uint64_t{1} << 63) / 3);
  EXPECT_THROW(integers_of("Div", {vector_of({1}), vector_of({0})}), Error);
  EXPECT_THROW(integers_of("Mod", {vector_of({1}), vector_of({0})}), Error);
  EXPECT_EQ(values_of("Div", 14, {floats({1}), floats({0})})[0], std::numeric_limits<double>::infinity());
}

TEST(Arithmetic, ModTakesItsSignFromTheDivisorOrWithFmodFromTheDividend) {
  const std::vector<Tensor> operands = {vector_of({-7, 7, -6, kLowest}), vector_of({3, -3, 3, -1})};
  EXPECT_EQ(integers_of("Mod", operands), (std::vector<int64_t>{2, -2, 0, 0}));
  EXPECT_EQ(integers_of("Mod", operands, {{"fmod", int64_t{1}}}), (std::vector<int64_t>{-1, 1, 0, 0}));
}

TEST(Arithmetic, PowKeepsTheBaseType) {
  EXPECT_EQ(integers_of("Pow", {vector_of({-2, 3, 2, -1, 5}), vector_of({3, 4, -1, -3, 0})}),
            (std::vector<int64_t>{-8, 81, 0, -1, 1}));
  EXPECT_EQ(integers_of("Pow", {vector_of({9, 10}), floats({0.5f, 1.5f})}), (std::vector<int64_t>{3, 31}));
  EXPECT_EQ(values_of("Pow", 15, {floats({0.5f}), vector_of({-2})}), std::vector<double>{4.0});
}

TEST(Arithmetic, RoundsHalfToEven) {
  const std::vector<double> rounded = values_of("Round", 11, {floats({0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 2.6f, -2.4f})});
  EXPECT_EQ(rounded, (std::vector<double>{0, 2, 2, 0, -2, 3, -2}));
  EXPECT_TRUE(std::signbit(rounded[3]));
}

TEST(Arithmetic, SignsAndNaN) {
  const std::vector<double> sign = values_of("Sign", 13, {floats({-2.0f, 0.0f, 3.0f, kNaN})});
  EXPECT_EQ((std::vector<double>(sign.begin(), sign.begin() + 3)), (std::vector<double>{-1, 0, 1}));
  EXPECT_TRUE(std::isnan(sign[3]));
  EXPECT_TRUE(std::signbit(values_of("Neg", 13, {floats({0.0f})})[0]));
  EXPECT_FALSE(std::signbit(values_of("Abs", 13, {floats({-0.0f})})[0]));
  for (const char* op : {"Max", "Min"}) {
    for (const double x : values_of(op, 13, {floats({kNaN, 1.0f}), floats({1.0f, kNaN})})) EXPECT_TRUE(std::isnan(x));
  }
}

TEST(Arithmetic, HalfTypesRoundOnce) {
  // 2048 + 1 lies halfway in float16; the sum of three must not be rounded in between.
  const Tensor big = convert(floats({2048.0f}), DType::Float16), one = convert(floats({1.0f}), DType::Float16);
  EXPECT_EQ(values_of("Add", 14, {big, one}), std::vector<double>{2048.0});
  EXPECT_EQ(values_of("Sum", 13, {big, one, one}), std::vector<double>{2050.0});
  EXPECT_EQ(run_node("Mean", 13, {big, big})[0].dtype(), DType::Float16);
}

TEST(Arithmetic, ComparisonsKnowEveryType) {
  const Tensor huge = Tensor::from({2}, std::vector<uint64_t>{~uint64_t{0}, 1});
  const Tensor small = Tensor::from({1}, std::vector<uint64_t>{2});
  EXPECT_EQ(integers_of("Less", {huge, small}), (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(values_of("LessOrEqual", 16, {floats({kNaN, 1.0f}), floats({kNaN, 1.0f})}), (std::vector<double>{0, 1}));
  const Tensor words = Tensor::from_strings({2, 1}, {"a", "b"}), letters = Tensor::from_strings({3}, {"b", "a", "a"});
  EXPECT_EQ(values_of("Equal", 19, {words, letters}), (std::vector<double>{0, 1, 1, 1, 0, 0}));
  EXPECT_THROW(run_node("Less", 13, {floats({1}), vector_of({1})}), Error);
}

TEST(Arithmetic, BoolBytesOtherThanOneAreTrue) {
  Tensor odd(DType::Bool, {3});
  const std::span<std::byte> bytes = odd.mutable_bytes();
  bytes[0] = std::byte{2};
  bytes[1] = std::byte{255};
  const Tensor yes = convert(vector_of({1, 1, 1}), DType::Bool);
  EXPECT_EQ(values_of("And", 7, {odd, yes}), (std::vector<double>{1, 1, 0}));
  EXPECT_EQ(values_of("Xor", 7, {odd, yes}), (std::vector<double>{0, 0, 1}));
  EXPECT_EQ(values_of("Not", 1, {odd}), (std::vector<double>{0, 0, 1}));
  EXPECT_EQ(values_of("Where", 16, {odd, floats({1, 2, 3}), floats({7, 8, 9})}), (std::vector<double>{1, 2, 9}));
}

TEST(Arithmetic, ShiftsLoseBitsAndExtendSigns) {
  const Attributes left = {{"direction", std::string("LEFT")}}, right = {{"direction", std::string("RIGHT")}};
  EXPECT_EQ(integers_of("BitShift", {typed(DType::UInt8, {3, 129, 1}), typed(DType::UInt8, {7, 1, 200})}, left),
            (std::vector<int64_t>{128, 2, 0}));
  EXPECT_EQ(integers_of("BitShift", {typed(DType::Int8, {-8, -8, 4, -1}), typed(DType::Int8, {1, 100, 9, -1})}, right),
            (std::vector<int64_t>{-4, -1, 0, -1}));
  EXPECT_THROW(integers_of("BitShift", {vector_of({1}), vector_of({1})}), Error);
  EXPECT_EQ(integers_of("BitwiseNot", {typed(DType::UInt16, {0, 1})}), (std::vector<int64_t>{65535, 65534}));
  EXPECT_EQ(integers_of("BitwiseXor", {vector_of({-1, 6}), vector_of({5, 3})}), (std::vector<int64_t>{-6, 5}));
}

}  // namespace
}  // namespace halftone::sim::arithmetic_test
