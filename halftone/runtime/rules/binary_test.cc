#include <gtest/gtest.h>

#include <cmath>

#include "halftone/base/rng.h"
#include "halftone/runtime/session.h"
#include "halftone/sim/interpreter.h"
#include "tests/support/quantized_net.h"

namespace halftone::binary_test {
namespace {

class Binary : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(All, Binary, testing::Values("Add", "Sub", "Mul", "Div", "Min", "Max"));

// Both orders of operands, the second computed or constant, behind a convolution (so in blocks of channels) or not.
TEST_P(Binary, EqualsTheInterpreterForEveryBroadcast) {
  const Shape shape = {2, 20, 7, 5};
  const std::vector<Shape> others = {{},           {1},        {1, 1, 1, 1},  {5},
                                     {7, 1},       {20, 1, 1}, {1, 20, 1, 1}, {2, 20, 1, 1},
                                     {2, 1, 7, 5}, {20, 7, 5}, {2, 20, 7, 5}, {1, 1, 7, 1}};
  Rng rng(11);
  for (const Shape& other : others) {
    for (int variant = 0; variant < 8; ++variant) {
      SCOPED_TRACE(fmt::format("{} {} variant {}", GetParam(), to_string(other), variant));
      const bool swapped = (variant & 1) != 0, constant = (variant & 2) != 0, behind_conv = (variant & 4) != 0;
      test::NetBuilder net;
      ValueId x = net.input("x", shape);
      TensorMap inputs = {{"x", Tensor::from(shape, test::random_floats(rng, element_count(shape), 0.5, 2))}};
      if (behind_conv) {
        const ValueId weights = net.constant("w", {20, 20, 1, 1}, test::random_floats(rng, 400, 0.01, 0.1));
        x = net.node("Conv", {x, weights}, "conv");
      }
      const std::vector<float> content = test::random_floats(rng, element_count(other), 0.5, 2);
      const ValueId b = constant ? net.constant("b", other, content) : net.input("b", other);
      if (!constant) inputs.emplace("b", Tensor::from(other, content));
      net.output(net.node(GetParam(), swapped ? std::vector{b, x} : std::vector{x, b}, "y"));
      const Tensor expected = sim::Interpreter(net.model).run(inputs).at("y");
      for (const int threads : {1, 2}) {
        const Tensor actual = Session(net.model, {threads, nullptr, {}}).run(inputs).at("y");
        ASSERT_EQ(actual.shape(), expected.shape());
        for (size_t i = 0; i < static_cast<size_t>(expected.size()); ++i) {
          ASSERT_NEAR(actual.data<float>()[i], expected.data<float>()[i], 1e-5) << "element " << i;
        }
      }
    }
  }
}

}  // namespace
}  // namespace halftone::binary_test
