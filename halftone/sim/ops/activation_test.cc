#include <cmath>
#include <limits>

#include "halftone/sim/ops/test_one_op.h"

namespace halftone::sim::activation_test {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// The operator's value at x, with the formulas of the ONNX pages evaluated by the caller in double.
double at(const char* op, double x, const Attributes& attributes = {}, int64_t opset = 24) {
  return to_vector<double>(OneOp{op, {Tensor::scalar(x)}, attributes, opset}.run()).at(0);
}

TEST(Activations, AreTheirFormulas) {
  for (const double x : {-7.5, -2.0, -0.3, 0.0, 0.2, 1.0, 3.5, 9.0}) {
    const double sigmoid = 1 / (1 + std::exp(-x)), softplus = std::log(1 + std::exp(x));
    const double bound = 1e-12;
    EXPECT_NEAR(at("Sigmoid", x), sigmoid, bound);
    EXPECT_NEAR(at("Softplus", x), softplus, bound);
    EXPECT_NEAR(at("Mish", x), x * std::tanh(softplus), bound);
    EXPECT_NEAR(at("Swish", x, {{"alpha", 0.5f}}), x / (1 + std::exp(-0.5 * x)), bound);
    EXPECT_NEAR(at("Softsign", x), x / (1 + std::abs(x)), bound);
    EXPECT_NEAR(at("Erf", x), std::erf(x), bound);
    EXPECT_NEAR(at("Gelu", x), 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))), bound);
    EXPECT_NEAR(at("Gelu", x, {{"approximate", std::string("tanh")}}),
                0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))), bound);
    EXPECT_NEAR(at("HardSwish", x), x * std::min(std::max(x / 6 + 0.5, 0.0), 1.0), bound);
    EXPECT_NEAR(at("HardSigmoid", x, {{"alpha", 0.25f}, {"beta", 0.75f}}), std::min(std::max(x / 4 + 0.75, 0.0), 1.0),
                bound);
    EXPECT_NEAR(at("Elu", x, {{"alpha", 2.0f}}), x < 0 ? 2 * (std::exp(x) - 1) : x, bound);
    EXPECT_NEAR(at("Celu", x, {{"alpha", 2.0f}}), std::max(0.0, x) + std::min(0.0, 2 * (std::exp(x / 2) - 1)), bound);
    EXPECT_NEAR(at("Selu", x, {{"alpha", 2.0f}, {"gamma", 0.5f}}), 0.5 * (x > 0 ? x : 2 * (std::exp(x) - 1)), bound);
    EXPECT_NEAR(at("LeakyRelu", x, {{"alpha", 0.25f}}), x < 0 ? x / 4 : x, bound);
    EXPECT_NEAR(at("ThresholdedRelu", x), x > 1 ? x : 0, bound);
    EXPECT_NEAR(at("Shrink", x, {{"lambd", 0.25f}, {"bias", 0.5f}}),
                x < -0.25  ? x + 0.5
                : x > 0.25 ? x - 0.5
                           : 0,
                bound);
  }
}

TEST(Activations, DoNotOverflow) {
  EXPECT_EQ(at("Sigmoid", -1e4), 0);
  EXPECT_EQ(at("Sigmoid", 1e4), 1);
  EXPECT_EQ(at("Softplus", 1e4), 1e4);
  EXPECT_EQ(at("Mish", -1e4), 0);
  EXPECT_EQ(at("Mish", 1e4), 1e4);
}

TEST(Activations, PassNaNOn) {
  for (const char* op : {"Relu", "Clip", "HardSwish", "HardSigmoid", "Sigmoid", "LeakyRelu", "Elu", "Gelu"}) {
    EXPECT_TRUE(std::isnan(to_vector<float>(OneOp{op, {Tensor::scalar(kNaN)}}.run())[0])) << op;
  }
}

TEST(Relu, OfIntegers) {
  const Tensor y = OneOp{"Relu", {tensor<int8_t>({3}, {-128, 0, 127})}}.run();
  EXPECT_EQ(y.dtype(), DType::Int8);
  expect_equal(y, {3}, {0, 0, 127});
  EXPECT_REFUSED((OneOp{"Sigmoid", {tensor<int8_t>({1}, {1})}}), "floating-point operand, found int8");
}

TEST(Clip, BoundsAreAttributesThenInputs) {
  const Tensor x = tensor({4}, {-3, -1, 1, 3});
  expect_equal(OneOp{"Clip", {x}, {{"min", -2.0f}, {"max", 2.0f}}, 6}.run(), {4}, {-2, -1, 1, 2});
  expect_equal(OneOp{"Clip", {x, Tensor(), Tensor::scalar(0.0f)}, {}, 13}.run(), {4}, {-3, -1, 0, 0});
  expect_equal(OneOp{"Clip", {x, Tensor::scalar(2.0f), Tensor::scalar(1.0f)}, {}, 13}.run(), {4}, {1, 1, 1, 1});
  const Tensor huge = tensor<uint64_t>({2}, {UINT64_MAX, 5});
  EXPECT_TRUE((OneOp{"Clip", {huge}}.run().same_as(huge)));
  EXPECT_REFUSED((OneOp{"Clip", {x, Tensor::scalar(1.0)}}), "must be float like the first");
}

TEST(PRelu, SlopesBroadcast) {
  const Tensor x = tensor({1, 2, 2}, {-1, 2, -3, -4});
  expect_equal(OneOp{"PRelu", {x, tensor({2, 1}, {0.5f, 2})}}.run(), {1, 2, 2}, {-0.5, 2, -6, -8});
  expect_equal(OneOp{"PRelu", {x, tensor({2}, {0.5f, 2})}, {}, 6}.run(), {1, 2, 2}, {-0.5, 2, -6, -8});
  EXPECT_REFUSED((OneOp{"PRelu", {x, counting({3})}}), "broadcast");
}

}  // namespace
}  // namespace halftone::sim::activation_test
