#include <gtest/gtest.h>

#include "halftone/base/rng.h"
#include "halftone/runtime/session.h"
#include "halftone/sim/interpreter.h"
#include "tests/support/quantized_net.h"
#include "tests/support/relative_difference.h"

namespace halftone::pool_test {
namespace {

// Planes large enough to be divided, among more threads than go into their rows evenly. Behind a convolution, so that
// they lie as convolutions leave them.
TEST(Pool, EqualsTheInterpreterHoweverItIsDivided) {
  using Ints = std::vector<int64_t>;
  Rng rng(7);
  for (const std::string op : {"MaxPool", "AveragePool", "GlobalAveragePool"}) {
    for (const int64_t images : {1, 2}) {
      for (const int64_t channels : {16, 40}) {
        for (const auto& [kernel, stride, pads] : {std::tuple{Ints{3, 3}, Ints{2, 2}, Ints{1, 1, 1, 1}},
                                                   {Ints{2, 3}, Ints{1, 2}, Ints{0, 2, 1, 0}},
                                                   {Ints{5, 1}, Ints{3, 1}, Ints{4, 0, 2, 0}}}) {
          test::NetBuilder net;
          const ValueId x = net.input("x", {images, channels, 61, 43});
          const ValueId weights = net.constant("w", {channels, 1, 1, 1}, test::random_floats(rng, channels, 0.5, 1));
          const ValueId y = net.node("Conv", {x, weights}, "y", {{"group", channels}});
          net.output(op == "GlobalAveragePool"
                         ? net.node(op, {y}, "z")
                         : net.node(op, {y}, "z", {{"kernel_shape", kernel}, {"strides", stride}, {"pads", pads}}));
          const Shape shape = {images, channels, 61, 43};
          const TensorMap inputs = {{"x", Tensor::from(shape, test::random_floats(rng, element_count(shape), -1, 1))}};
          const Tensor expected = sim::Interpreter(net.model).run(inputs).at("z");
          for (const int threads : {1, 2, 3, 5}) {
            const Tensor actual = Session(net.model, {threads, nullptr, {}}).run(inputs).at("z");
            ASSERT_EQ(actual.shape(), expected.shape());
            EXPECT_LE(test::relative_difference(actual, expected), 1e-5)
                << op << " of " << images << " images, " << channels << " channels, kernel " << to_string(kernel)
                << ", padding " << to_string(pads) << ", " << threads << " threads";
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace halftone::pool_test
