// Every form of integer arithmetic in dyadic mode, against the definitions of docs/quantization.md in rational
// arithmetic (long double holds these numbers exactly).
#include <gtest/gtest.h>

#include <algorithm>

#include "halftone/sim/integer_test_runs.h"

namespace halftone::sim::integer_dyadic_test {
namespace {

using test::int8_grid;
using test::NetBuilder;
using test::per_tensor;
using test::random_floats;
using test::uint8_grid;
using test::weight_grid;

constexpr RequantizeMode kDyadic = RequantizeMode::Dyadic;

int32_t code(int64_t acc, float multiplier, const QuantParams& y) {
  const long double steps = std::floor(static_cast<long double>(acc) * static_cast<long double>(multiplier) + 0.5L);
  const long double least = y.q_min - y.zero_point[0], most = y.q_max - y.zero_point[0];
  return static_cast<int32_t>(std::clamp(steps, least, most)) + y.zero_point[0];
}

float ratio(double a, double b) { return static_cast<float>(a / b); }

// A node on one operand of the codes -128 .. 127 (zero point -5), in dyadic mode.
struct OneInput {
  QuantParams x_params = int8_grid(0.02F, -5);
  Shape shape;
  NetBuilder net;
  ValueId x;
  std::vector<int32_t> q;

  explicit OneInput(Shape x_shape) : shape(std::move(x_shape)), x(net.input("x", shape, x_params)) {}

  std::vector<int32_t> run(ValueId y) {
    net.output(y);
    EXPECT_TRUE(plan_integers(net.model, kDyadic).refusals.empty());
    Rng rng(3);
    const Record run = record(net.model, {{"x", random_on_grid(rng, shape, x_params)}}, kDyadic);
    q = run.codes_of("x");
    return run.codes_of("y");
  }
  int64_t steps(size_t i) const { return q[i] + 5; }
};

TEST(DyadicForms, ConvolutionByChannel) {
  const std::vector<float> scales = {0.01F, 0.003F, 0.02F};
  Rng rng(1);
  const std::vector<float> w = random_floats(rng, 12, -0.4, 0.4), bias = {0.3F, -0.1F, 0.02F};
  const QuantParams y_params = uint8_grid(0.011F, 40);
  OneInput c({1, 4, 2, 3});
  const ValueId weights = c.net.constant("w", {3, 4, 1, 1}, w, weight_grid(scales, 0));
  const std::vector<int32_t> y =
      c.run(c.net.node("Conv", {c.x, weights, c.net.constant("b", {3}, bias)}, "y", y_params));
  const std::vector<int32_t> qw = unpack_integers(quantize(Tensor::from({3, 4, 1, 1}, w), weight_grid(scales, 0)));
  for (size_t i = 0; i < y.size(); ++i) {
    const size_t channel = i / 6;
    const double step = double{0.02F} * scales[channel];
    int64_t acc = std::llrint(bias[channel] / step);
    for (size_t k = 0; k < 4; ++k) acc += c.steps(k * 6 + i % 6) * qw[channel * 4 + k];
    ASSERT_EQ(y[i], code(acc, ratio(step, 0.011F), y_params));
  }
}

TEST(DyadicForms, SumsWithoutAGridStayReal) {
  OneInput c({1, 3});
  const std::vector<float> w = {0.5F, -0.25F, 0.75F};
  const ValueId y = c.net.node("MatMul", {c.x, c.net.constant("w", {3, 1}, w, weight_grid({0.25F}, -1))}, "y");
  c.net.output(y);
  const TensorMap inputs = {{"x", Tensor::from<float>({1, 3}, std::vector<float>{0.3F, -1.0F, 2.0F})}};
  EXPECT_TRUE(record(c.net.model, inputs, kDyadic).real.at("y").same_as(record(c.net.model, inputs).real.at("y")));
}

TEST(DyadicForms, ProductOfTwoAndWithConstantsOfAnySign) {
  const QuantParams y_params = int8_grid(0.013F, 3);
  OneInput square({40});
  const std::vector<int32_t> squares = square.run(square.net.node("Mul", {square.x, square.x}, "y", y_params));
  for (size_t i = 0; i < 40; ++i) {
    const float multiplier = ratio(double{0.02F} * double{0.02F}, 0.013F);
    ASSERT_EQ(squares[i], code(square.steps(i) * square.steps(i), multiplier, y_params));
  }
  const std::vector<float> factors = {0.7F, -1.3F, 0, 1e-30F, -2e30F};
  OneInput scaled({8, 5});
  const std::vector<int32_t> y =
      scaled.run(scaled.net.node("Mul", {scaled.net.constant("c", {5}, factors), scaled.x}, "y", y_params));
  for (size_t i = 0; i < 40; ++i) {
    const auto multiplier = static_cast<float>(double{0.02F} * double{factors[i % 5]} / double{0.013F});
    ASSERT_EQ(y[i], code(scaled.steps(i), multiplier, y_params)) << i;
  }
}

TEST(DyadicForms, LeakyReluOfAnySlope) {
  for (const float alpha : {0.01F, 0.0F, -0.7F, 1.5F}) {
    const QuantParams y_params = uint8_grid(0.017F, 90);
    OneInput c({64});
    const std::vector<int32_t> y = c.run(c.net.node("LeakyRelu", {c.x}, "y", y_params, {{"alpha", alpha}}));
    const double up = double{0.02F} / double{0.017F};
    for (size_t i = 0; i < y.size(); ++i) {
      const double slope = c.steps(i) < 0 ? double{alpha} * up : up;
      ASSERT_EQ(y[i], code(c.steps(i), static_cast<float>(slope), y_params)) << alpha;
    }
  }
}

TEST(DyadicForms, MeansDivideInTheFraction) {
  const QuantParams y_params = int8_grid(0.009F, -20);
  OneInput window({1, 1, 1, 9});
  const std::vector<int32_t> y = window.run(
      window.net.node("AveragePool", {window.x}, "y", y_params,
                      {{"kernel_shape", std::vector<int64_t>{1, 3}}, {"pads", std::vector<int64_t>{0, 1, 0, 1}}}));
  for (size_t i = 0; i < 9; ++i) {
    int64_t acc = 0, count = 0;
    for (size_t k = i == 0 ? 0 : i - 1; k < std::min<size_t>(i + 2, 9); ++k, ++count) acc += window.steps(k);
    ASSERT_EQ(y[i], code(acc, ratio(0.02F, double{0.009F} * static_cast<double>(count)), y_params));
  }
  OneInput whole({2, 3, 7});
  const std::vector<int32_t> means = whole.run(whole.net.node("GlobalAveragePool", {whole.x}, "y", y_params));
  for (size_t i = 0; i < 6; ++i) {
    int64_t acc = 0;
    for (size_t k = 0; k < 7; ++k) acc += whole.steps(i * 7 + k);
    ASSERT_EQ(means[i], code(acc, ratio(0.02F, double{0.009F} * 7), y_params));
  }
}

TEST(DyadicForms, MovesConcatenationsAndPadding) {
  const QuantParams y_params = uint8_grid(0.03F, 100);
  const float multiplier = ratio(0.02F, 0.03F);
  OneInput pooled({1, 1, 8});
  const std::vector<int32_t> most =
      pooled.run(pooled.net.node("MaxPool", {pooled.x}, "y", y_params,
                                 {{"kernel_shape", std::vector<int64_t>{2}}, {"strides", std::vector<int64_t>{2}}}));
  for (size_t i = 0; i < 4; ++i) {
    ASSERT_EQ(most[i], code(std::max(pooled.steps(2 * i), pooled.steps(2 * i + 1)), multiplier, y_params));
  }
  OneInput joined({5});
  const std::vector<int32_t> y =
      joined.run(joined.net.node("Concat", {joined.x, joined.x}, "y", y_params, {{"axis", int64_t{0}}}));
  for (size_t i = 0; i < 10; ++i) ASSERT_EQ(y[i], code(joined.steps(i % 5), multiplier, y_params));
  // The padding is the same constant in both modes: 0.7 / 0.02 = 35 steps, 23.33 of the output's.
  for (const bool given : {true, false}) {
    OneInput padded({3});
    std::vector<ValueId> operands = {padded.x, padded.net.integers("pads", {1, 2})};
    if (given) operands.push_back(padded.net.constant("c", {}, {0.7F}));
    const std::vector<int32_t> codes = padded.run(padded.net.node("Pad", operands, "y", y_params));
    const int32_t border = given ? 123 : 100;
    for (size_t i = 0; i < 3; ++i) ASSERT_EQ(codes[i + 1], code(padded.steps(i), multiplier, y_params));
    EXPECT_EQ((std::vector{codes[0], codes[4], codes[5]}), (std::vector{border, border, border}));
  }
}

// The sum's two multipliers over their common shift, found by trying.
struct Shifted {
  int64_t a, b;
  int shift;
};
Shifted shifted(double m_a, int64_t reach_a, double m_b, int64_t reach_b, int64_t bound) {
  for (int shift = 30;; --shift) {
    const double a = std::nearbyint(std::ldexp(m_a, shift)), b = std::nearbyint(std::ldexp(m_b, shift));
    const double largest = static_cast<double>(reach_a) * a + static_cast<double>(reach_b) * b;
    if (largest + std::ldexp(1, shift - 1) < static_cast<double>(bound)) {
      return {static_cast<int64_t>(a), static_cast<int64_t>(b), shift};
    }
  }
}
int32_t clamped(int64_t exact, int shift, const QuantParams& y) {
  const long double steps = std::floor(std::ldexp(static_cast<long double>(exact), -shift) + 0.5L);
  return static_cast<int32_t>(std::clamp<long double>(steps, y.q_min - y.zero_point[0], y.q_max - y.zero_point[0])) +
         y.zero_point[0];
}

TEST(DyadicForms, SumsShareAShift) {
  Rng rng(8);
  const QuantParams a_params = uint8_grid(0.02F, 255), b_params = int8_grid(0.07F, 11),
                    y_params = uint8_grid(0.05F, 77);
  NetBuilder net;
  net.output(net.node("Add", {net.input("a", {6, 5}, a_params), net.input("b", {5}, b_params)}, "y", y_params));
  const TensorMap inputs = {{"a", random_on_grid(rng, {6, 5}, a_params)}, {"b", random_on_grid(rng, {5}, b_params)}};
  const Record run = record(net.model, inputs, kDyadic);
  const Shifted m = shifted(ratio(0.02F, 0.05F), 255, ratio(0.07F, 0.05F), 139, int64_t{1} << 31);
  EXPECT_EQ(plan_integers(net.model, kDyadic).nodes[0]->dyadic_sum.shift, m.shift);
  for (size_t i = 0; i < 30; ++i) {
    const int64_t exact = (run.codes_of("a")[i] - 255) * m.a + (run.codes_of("b")[i % 5] - 11) * m.b;
    ASSERT_EQ(run.codes_of("y")[i], clamped(exact, m.shift, y_params));
  }
}

TEST(DyadicForms, SumsOfWideCodesAreTakenIn64Bits) {
  Rng rng(9);
  const QuantParams wide = per_tensor(DType::Int16, 1e-4F, 0, -32768, 32767), y_params = wide;
  NetBuilder net;
  net.output(net.node("Add", {net.input("a", {50}, wide), net.input("b", {50}, int8_grid(0.01F))}, "y", y_params));
  const Record run = record(
      net.model, {{"a", random_on_grid(rng, {50}, wide)}, {"b", random_on_grid(rng, {50}, int8_grid(0.01F))}}, kDyadic);
  // 0.01 / 1e-4 = 100 < 2^31 / 2^24.
  const float m_b = ratio(0.01F, 1e-4F);
  for (size_t i = 0; i < 50; ++i) {
    const int64_t exact =
        (int64_t{run.codes_of("a")[i]} << 24) + run.codes_of("b")[i] * std::llrint(std::ldexp(m_b, 24));
    ASSERT_EQ(run.codes_of("y")[i], clamped(exact, 24, y_params));
  }
}

TEST(DyadicForms, SumsWithConstantsCutWhatCannotMatter) {
  const QuantParams y_params = uint8_grid(0.05F, 77);
  const std::vector<float> constants = {0.33F, -1.7F, 0, 1e9F, -1e30F};
  OneInput c({8, 5});
  const std::vector<int32_t> y = c.run(c.net.node("Add", {c.net.constant("c", {5}, constants), c.x}, "y", y_params));
  const float m = ratio(0.02F, 0.05F);
  const double limit = 132.0 * double{m} + 178 + 1;
  const Shifted shift = shifted(m, 132, limit, 1, int64_t{1} << 31);
  for (size_t i = 0; i < y.size(); ++i) {
    const double steps = std::clamp(double{ratio(constants[i % 5], 0.05F)}, -limit, limit);
    const int64_t exact = c.steps(i) * shift.a + std::llrint(std::ldexp(steps, shift.shift));
    ASSERT_EQ(y[i], clamped(exact, shift.shift, y_params)) << i;
  }
}

TEST(DyadicForms, SumsWithoutACommonShiftAreRefused) {
  NetBuilder net;
  net.output(net.node("Add", {net.input("a", {2}, uint8_grid(1e5F, 0)), net.input("b", {2}, uint8_grid(1, 0))}, "y",
                      uint8_grid(1e-3F, 0)));
  EXPECT_TRUE(plan_integers(net.model).refusals.empty());
  EXPECT_NE(plan_integers(net.model, kDyadic).refusals.at(0).find("have no common shift"), std::string::npos);
}

TEST(DyadicForms, NetworksAreWithinOneCodeOfFloatModeNodeByNode) {
  for (uint64_t seed = 0; seed < 5; ++seed) {
    Rng rng(seed);
    const QuantizedModel model = test::random_network(rng);
    EXPECT_TRUE(plan_integers(model, kDyadic).refusals.empty());
    const Value& input = model.graph.value(model.graph.inputs()[0]);
    const Tensor x = random_on_grid(rng, *input.type.fixed_shape(), model.encodings.at("x").params);
    const Record dyadic = record(model, {{"x", x}}, kDyadic), real = record(model, {{"x", x}});
    // The first layer has the same operands in both.
    const std::vector<int32_t> a = dyadic.codes_of("layer0"), b = real.codes_of("layer0");
    for (size_t i = 0; i < a.size(); ++i) ASSERT_LE(std::abs(a[i] - b[i]), 1);
  }
}

}  // namespace
}  // namespace halftone::sim::integer_dyadic_test
