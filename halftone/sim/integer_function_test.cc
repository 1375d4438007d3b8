// Functions of one operand: every code of the operand against the function in double.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "halftone/sim/integer_test_runs.h"

namespace halftone::sim::integer_function_test {
namespace {

using test::int8_grid;
using test::NetBuilder;
using test::per_tensor;
using test::uint8_grid;

// All codes of the grid as real numbers.
std::vector<float> every_code(const QuantParams& params) {
  std::vector<float> reals;
  for (int64_t q = params.q_min; q <= params.q_max; ++q) {
    reals.push_back(dequantize(static_cast<int32_t>(q), params.scale[0], params.zero_point[0]));
  }
  return reals;
}

struct Function {
  const char* op;
  double (*of)(double);
  std::vector<std::pair<std::string, AttributeValue>> attributes = {};
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double clamp01(double x) { return std::clamp(x, 0.0, 1.0); }

const std::vector<Function>& functions() {
  static const std::vector<Function> all = {
      {"Sigmoid", sigmoid},
      {"Tanh", [](double x) { return std::tanh(x); }},
      {"HardSigmoid", [](double x) { return clamp01(0.2 * x + 0.5); }},
      {"HardSigmoid", [](double x) { return clamp01(0.25 * x + 0.125); }, {{"alpha", 0.25F}, {"beta", 0.125F}}},
      {"HardSwish", [](double x) { return x * clamp01(x / 6 + 0.5); }},
      {"Gelu", [](double x) { return x / 2 * std::erfc(-x / std::numbers::sqrt2); }},
      {"Elu", [](double x) { return x < 0 ? std::expm1(x) : x; }},
      {"Softplus", [](double x) { return std::log1p(std::exp(x)); }},
      {"Softsign", [](double x) { return x / (1 + std::abs(x)); }},
      {"Mish", [](double x) { return x * std::tanh(std::log1p(std::exp(x))); }},
      {"Swish", [](double x) { return x * sigmoid(x); }},
      {"Abs", [](double x) { return std::abs(x); }},
      {"Sin", [](double x) { return std::sin(x); }},
  };
  return all;
}

TEST(IntegerFunction, EveryCodeOfEveryGrid) {
  const std::vector<QuantParams> grids = {
      uint8_grid(0.04F, 77), int8_grid(0.1F, 3), per_tensor(DType::Int8, 0.05F, 0, -127, 127),
      per_tensor(DType::Int4, 0.5F, -1, -8, 7), per_tensor(DType::UInt16, 1e-3F, 40000, 0, 65535)};
  const std::vector<QuantParams> results = {uint8_grid(0.0041F, 0), int8_grid(0.0317F, -100),
                                            per_tensor(DType::Int16, 1.07e-3F, 7, -32768, 32767)};
  int64_t compared = 0, ties = 0;
  for (const Function& function : functions()) {
    for (const QuantParams& from : grids) {
      for (const QuantParams& to : results) {
        const std::vector<float> x = every_code(from);
        const Shape shape = {static_cast<int64_t>(x.size())};
        NetBuilder net;
        net.model.graph.opset_imports = {{"", 24}};
        net.output(net.node(function.op, {net.input("x", shape, from)}, "y", to, function.attributes));
        const TensorMap inputs = {{"x", Tensor::from(shape, x)}};
        ASSERT_TRUE(plan_integers(net.model).nodes[0].has_value()) << function.op;
        const std::vector<int32_t> y = record(net.model, inputs).codes_of("y");
        ASSERT_EQ(record(net.model, inputs, RequantizeMode::Dyadic).codes_of("y"), y);
        for (size_t i = 0; i < x.size(); ++i) {
          const double steps = function.of(x[i]) / double{to.scale[0]};
          // A float result may fall on the other side of a tie.
          if (std::abs(std::abs(steps - std::trunc(steps)) - 0.5) < 1e-6 * std::max(10.0, std::abs(steps))) {
            ++ties;
            continue;
          }
          ++compared;
          const double code = std::nearbyint(steps) + to.zero_point[0];
          ASSERT_EQ(y[i], std::clamp(code, static_cast<double>(to.q_min), static_cast<double>(to.q_max)))
              << function.op << " of " << x[i];
        }
      }
    }
  }
  EXPECT_LT(ties, compared / 50);
}

TEST(IntegerFunction, PolesAndWhatIsNoNumber) {
  NetBuilder net;
  const ValueId x = net.input("x", {3}, int8_grid(1));
  net.node("Log", {x}, "log", uint8_grid(0.5F, 200));
  net.node("Reciprocal", {x}, "reciprocal", uint8_grid(0.5F, 100));
  net.output(net.node("Relu", {net.node("Log", {x}, "log2")}, "relu", uint8_grid(0.5F, 100)));
  const Record run = record(net.model, {{"x", Tensor::from({3}, std::vector<float>{-1, 0, 1})}});
  EXPECT_EQ(run.codes_of("log"), (std::vector<int32_t>{200, 0, 200})) << "not a number is 0";
  EXPECT_EQ(run.codes_of("reciprocal"), (std::vector<int32_t>{98, 255, 102}));
  EXPECT_EQ(run.codes_of("relu"), (std::vector<int32_t>{100, 100, 100}));
}

TEST(IntegerFunction, ConstantsOnEitherSideAndAClipBehind) {
  NetBuilder net;
  const ValueId x = net.input("x", {1, 4}, int8_grid(0.5F, 2));
  const ValueId c = net.constant("c", {1, 1}, {1.25F}), rounded = net.constant("d", {}, {1.25F}, int8_grid(1));
  net.node("Sub", {c, x}, "constant_minus", int8_grid(0.25F));
  net.node("Sub", {x, c}, "minus_constant", int8_grid(0.25F, 1));
  net.node("Sub", {x, rounded}, "minus_rounded", int8_grid(0.25F));
  net.node("Min", {c, x, rounded}, "least", int8_grid(0.25F));
  const ValueId product = net.node("Div", {x, net.constant("e", {}, {-0.5F})}, "quotient");
  net.output(net.node("Clip", {product, net.constant("lo", {}, {-3}), net.constant("hi", {}, {2})}, "clip",
                      int8_grid(0.25F, 5)));
  const Record run = record(net.model, {{"x", Tensor::from({1, 4}, std::vector<float>{-60, -0.5F, 1, 2})}});
  EXPECT_EQ(run.codes_of("constant_minus"), (std::vector<int32_t>{127, 7, 1, -3}));
  EXPECT_EQ(run.codes_of("minus_constant"), (std::vector<int32_t>{-128, -6, 0, 4}));
  EXPECT_EQ(run.codes_of("minus_rounded"), (std::vector<int32_t>{-128, -6, 0, 4})) << "1.25 is 1 on its grid";
  EXPECT_EQ(run.codes_of("least"), (std::vector<int32_t>{-128, -2, 4, 4}));
  EXPECT_EQ(run.codes_of("clip"), (std::vector<int32_t>{13, 9, -3, -7}));
}

}  // namespace
}  // namespace halftone::sim::integer_function_test
