// A transformer encoder whose matrix products are computed in integers, on grids found at run time: without data, and
// as a file.
#include <gtest/gtest.h>

#include <cmath>

#include "halftone/graph/op_table.h"
#include "halftone/quant/assign_dynamic.h"
#include "halftone/quant/integer_plan.h"
#include "halftone/runtime/session.h"
#include "halftone/sim/interpreter.h"
#include "halftone/transform/fold_qdq.h"
#include "halftone/transform/insert_qdq.h"
#include "halftone/transform/pass.h"
#include "tests/support/encoder_net.h"

namespace halftone {
namespace {

double sqnr(const Tensor& expected, const Tensor& found) {
  const std::vector<float> a = to_vector<float>(expected), b = to_vector<float>(found);
  double energy = 0, noise = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    energy += double{a[i]} * double{a[i]};
    noise += (double{a[i]} - double{b[i]}) * (double{a[i]} - double{b[i]});
  }
  return noise == 0 ? 200 : 10 * std::log10(energy / noise);
}

class DynamicEncoder : public testing::TestWithParam<std::tuple<DynamicRange, bool, bool>> {
 protected:
  DynamicEncoder() {
    test::EncoderShape shape;
    shape.whole_norm = std::get<1>(GetParam());
    shape.tanh = std::get<2>(GetParam());
    graph = transform::simplify(test::EncoderNet(shape, 1).model.graph);
    Rng rng(2);
    inputs["x"] = Tensor::from({2, 12, 32}, test::random_floats(rng, 2 * 12 * 32, -2, 2));
  }
  QuantizedModel quantized() const { return assign_dynamic(graph, Recipe(), std::get<0>(GetParam())); }

  Graph graph;
  TensorMap inputs;
};

INSTANTIATE_TEST_SUITE_P(Ranges, DynamicEncoder,
                         testing::Combine(testing::Values(DynamicRange::PerTensor, DynamicRange::PerRow),
                                          testing::Bool(), testing::Bool()));

TEST_P(DynamicEncoder, EveryMatrixProductIsComputedInIntegers) {
  const QuantizedModel model = quantized();
  const IntegerPlan plan = plan_integers(model);
  int products = 0;
  for (size_t i = 0; i < model.graph.nodes().size(); ++i) {
    const Node& node = model.graph.nodes()[i];
    if (!node.is("MatMul") && !node.is("Gemm")) continue;
    ++products;
    ASSERT_TRUE(plan.nodes[i].has_value()) << describe(model.graph, node);
    EXPECT_EQ(plan.nodes[i]->form, IntegerForm::DynamicProduct);
  }
  EXPECT_EQ(products, 2 * 8 + 1);
  EXPECT_EQ(model.encodings.size(), 2U * 6 + 1);
}

TEST_P(DynamicEncoder, IsNearTheFloatNetwork) {
  const Tensor expected = sim::Interpreter(graph).run(inputs).at("logits");
  EXPECT_GT(sqnr(expected, sim::Interpreter(quantized()).run(inputs).at("logits")), 25);
}

TEST_P(DynamicEncoder, RunsInTheEngine) {
  const Tensor expected = sim::Interpreter(quantized()).run(inputs).at("logits");
  for (int threads : {1, 3}) {
    SessionOptions options;
    options.threads = threads;
    // The nodes between the products round differently; what they change in codes is noise of its own.
    EXPECT_GT(sqnr(expected, Session(quantized(), options).run(inputs).at("logits")), 35);
  }
}

TEST_P(DynamicEncoder, TheFileIsTheModel) {
  const QuantizedModel model = quantized();
  const Graph file = insert_qdq(model);
  EXPECT_NO_THROW(verify(file));
  const Tensor expected = sim::Interpreter(model).run(inputs).at("logits");
  EXPECT_TRUE(sim::Interpreter(file).run(inputs).at("logits").same_as(expected));
  const QuantizedModel back = fold_qdq(file);
  EXPECT_EQ(back.dynamic.size(), model.dynamic.size());
  EXPECT_TRUE(sim::Interpreter(back).run(inputs).at("logits").same_as(expected));
}

// What the engine gives for one product is what the reference gives, bit for bit.
TEST(DynamicProducts, OfTheEngineAreExact) {
  for (const DynamicRange range : {DynamicRange::PerTensor, DynamicRange::PerRow}) {
    for (const int64_t k : {1, 7, 64, 130}) {
      Rng rng(static_cast<uint64_t>(k));
      test::NetBuilder net;
      const ValueId x = net.input("x", {3, 5, k});
      const ValueId w = net.constant("w", {k, 19}, test::random_floats(rng, k * 19, -1, 1));
      net.output(net.node("MatMul", {x, w}, "y"));
      net.output(
          net.node("MatMul", {net.node("Transpose", {x}, "t", {{"perm", std::vector<int64_t>{0, 2, 1}}}), x}, "z"));
      const QuantizedModel model = assign_dynamic(net.model.graph, Recipe(), range);
      ASSERT_EQ(model.dynamic.size(), 2U);
      const TensorMap inputs = {{"x", Tensor::from({3, 5, k}, test::random_floats(rng, 15 * k, -2, 5))}};
      const TensorMap expected = sim::Interpreter(model).run(inputs), found = Session(model).run(inputs);
      EXPECT_TRUE(found.at("y").same_as(expected.at("y")));
      EXPECT_TRUE(found.at("z").same_as(expected.at("z")));
      if (k > 1) {
        EXPECT_LT(sqnr(sim::Interpreter(net.model.graph).run(inputs).at("y"), expected.at("y")), 80) << "float";
      }
    }
  }
}

}  // namespace
}  // namespace halftone
