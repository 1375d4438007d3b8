#include <gtest/gtest.h>

#include "halftone/base/rng.h"
#include "halftone/runtime/session.h"
#include "halftone/sim/interpreter.h"
#include "tests/support/quantized_net.h"
#include "tests/support/relative_difference.h"

namespace halftone::inner_product_test {
namespace {

// Threads take rows or columns, not all of them as many; oneDNN orders weights by how many rows there are.
TEST(InnerProduct, EqualsTheInterpreterHoweverItIsDivided) {
  Rng rng(5);
  for (const bool transposed : {false, true}) {
    for (const int64_t rows : {1, 2, 3, 4, 5, 7, 16, 17}) {
      const int64_t depth = 640, columns = 1000;
      test::NetBuilder net;
      const ValueId x = net.input("x", {rows, depth});
      const ValueId weights = net.constant("w", transposed ? Shape{columns, depth} : Shape{depth, columns},
                                           test::random_floats(rng, depth * columns, -1, 1));
      const ValueId bias = net.constant("b", {columns}, test::random_floats(rng, columns, -1, 1));
      const ValueId y = net.node("Gemm", {x, weights, bias}, "y");
      net.model.graph.nodes().back().set_attribute("transB", int64_t{transposed});
      net.output(y);
      const TensorMap inputs = {{"x", Tensor::from(Shape{rows, depth}, test::random_floats(rng, rows * depth, -1, 1))}};
      const Tensor expected = sim::Interpreter(net.model).run(inputs).at("y");
      for (const int threads : {1, 2, 3, 4, 5}) {
        const Tensor actual = Session(net.model, {threads, nullptr, {}}).run(inputs).at("y");
        ASSERT_EQ(actual.shape(), expected.shape());
        EXPECT_LE(test::relative_difference(actual, expected), 1e-5)
            << rows << " rows, " << threads << " threads" << (transposed ? ", transposed" : "");
      }
    }
  }
}

}  // namespace
}  // namespace halftone::inner_product_test
