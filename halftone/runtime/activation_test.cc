#include "halftone/runtime/activation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "halftone/base/rng.h"
#include "halftone/runtime/session.h"
#include "halftone/sim/interpreter.h"
#include "tests/support/quantized_net.h"

namespace halftone::activation_test {
namespace {

const std::vector<std::string> kFunctions = {"Relu", "LeakyRelu", "Sigmoid", "HardSigmoid", "HardSwish",
                                             "Tanh", "Elu",       "Gelu",    "Mish",        "Softplus",
                                             "Exp",  "Abs",       "Sqrt",    "Neg"};

class Activation : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(All, Activation, testing::ValuesIn(kFunctions));

void expect_as_interpreted(test::NetBuilder& net, const Shape& shape) {
  net.model.graph.opset_imports = {{"", 20}};
  Rng rng(3);
  const TensorMap inputs = {{"x", Tensor::from(shape, test::random_floats(rng, element_count(shape), -4, 4))}};
  const Tensor expected = sim::Interpreter(net.model).run(inputs).at("y");
  for (const int threads : {1, 2}) {
    const Tensor actual = Session(net.model, {threads, nullptr, {}}).run(inputs).at("y");
    for (int64_t i = 0; i < expected.size(); ++i) {
      const float e = expected.data<float>()[static_cast<size_t>(i)], a = actual.data<float>()[static_cast<size_t>(i)];
      ASSERT_TRUE((std::isnan(a) && std::isnan(e)) || std::abs(a - e) <= 1e-5f + 1e-4f * std::abs(e))
          << "element " << i << ": expected " << e << ", found " << a << ", " << threads << " threads";
    }
  }
}

TEST_P(Activation, Alone) {
  for (const Shape& shape : {Shape{27}, Shape{1, 3, 5, 7}, Shape{2, 50, 33, 17}}) {
    test::NetBuilder net;
    net.output(net.node(GetParam(), {net.input("x", shape)}, "y"));
    expect_as_interpreted(net, shape);
  }
}

TEST_P(Activation, AfterArithmeticWithANumber) {
  const Shape shape = {3, 3, 3, 1};
  test::NetBuilder net;
  const ValueId half = net.constant("half", {}, {0.5f});
  net.output(net.node(GetParam(), {net.node("Div", {net.input("x", shape), half}, "quotient")}, "y"));
  expect_as_interpreted(net, shape);
}

TEST_P(Activation, AfterArithmeticWithAVector) {
  const Shape shape = {2, 5, 19};
  test::NetBuilder net;
  Rng rng(5);
  const ValueId row = net.constant("row", {19}, test::random_floats(rng, 19, -1, 1));
  net.output(net.node(GetParam(), {net.node("Add", {net.input("x", shape), row}, "sum")}, "y"));
  expect_as_interpreted(net, shape);
}

TEST_P(Activation, AfterAConvolution) {
  for (const int64_t group : {1, 20}) {
    const Shape shape = {1, 20, 9, 11};
    test::NetBuilder net;
    Rng rng(5);
    const ValueId weights =
        net.constant("w", {20, 20 / group, 3, 3}, test::random_floats(rng, 20 * 20 / group * 9, -0.3, 0.3));
    const ValueId conv = net.node("Conv", {net.input("x", shape), weights}, "conv",
                                  {{"pads", std::vector<int64_t>{1, 1, 1, 1}}, {"group", group}});
    net.output(net.node(GetParam(), {conv}, "y"));
    expect_as_interpreted(net, shape);
  }
}

TEST_P(Activation, AfterAMatrixProduct) {
  const Shape shape = {3, 21};
  test::NetBuilder net;
  Rng rng(5);
  const ValueId weights = net.constant("w", {21, 37}, test::random_floats(rng, 21 * 37, -0.3, 0.3));
  net.output(net.node(GetParam(), {net.node("MatMul", {net.input("x", shape), weights}, "product")}, "y"));
  expect_as_interpreted(net, shape);
}

}  // namespace
}  // namespace halftone::activation_test
