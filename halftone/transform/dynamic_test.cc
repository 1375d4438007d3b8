// Products on grids found at run time: to standard operators and back. The file has to compute the model bit for bit.
#include <gtest/gtest.h>

#include "halftone/quant/integer_plan.h"
#include "halftone/transform/dynamic_test_nets.h"
#include "halftone/transform/insert_qdq.h"

namespace halftone::dynamic_test {
namespace {

using namespace test;

// The trip to a file and back. `same_nodes`: the nodes are those of the model again.
void expect_trip(const NetBuilder& net, bool same_nodes = true) {
  const QuantizedModel& model = net.model;
  const IntegerPlan plan = plan_integers(model);
  ASSERT_TRUE(plan.refusals.empty()) << plan.refusals.begin()->second;
  const Graph file = insert_qdq(model);
  EXPECT_NO_THROW(verify(file));
  const QuantizedModel back = fold_qdq(file);
  EXPECT_NO_THROW(verify(back.graph));
  EXPECT_TRUE(back.float_reasons.empty()) << back.float_reasons.begin()->second;
  if (same_nodes) {
    EXPECT_EQ(structure(back.graph), structure(model.graph));
    EXPECT_EQ(back.encodings, model.encodings);
  }
  EXPECT_EQ(back.dynamic, model.dynamic);
  Rng rng(5);
  const TensorMap inputs = random_inputs(rng, model.graph);
  const TensorMap expected = run(model, inputs), from_file = sim::Interpreter(file).run(inputs),
                  folded = run(back, inputs);
  for (const auto& [name, tensor] : expected) {
    EXPECT_TRUE(from_file.at(name).same_as(tensor)) << name;
    EXPECT_TRUE(folded.at(name).same_as(tensor)) << name;
  }
}

class DynamicTrip : public testing::TestWithParam<std::tuple<DynamicRange, int64_t>> {
 protected:
  DynamicTrip() { net.model.graph.opset_imports[""] = std::get<1>(GetParam()); }
  DynamicRange range() const { return std::get<0>(GetParam()); }
  void dynamic(ValueId result) { net.model.dynamic[net.model.graph.value(result).name] = range(); }

  Rng rng{1};
  NetBuilder net;
};

INSTANTIATE_TEST_SUITE_P(Ranges, DynamicTrip,
                         testing::Combine(testing::Values(DynamicRange::PerTensor, DynamicRange::PerRow),
                                          testing::Values(13, 18)));

TEST_P(DynamicTrip, MatMulsThatReadOneActivation) {
  const ValueId x = net.node("Tanh", {net.input("x", {2, 4, 5})}, "t");
  const ValueId q = net.node("MatMul", {x, weights(net, rng, "wq", {5, 3}, int8_weights(kScales, 1))}, "q");
  const ValueId k = net.node("MatMul", {x, weights(net, rng, "wk", {5, 3}, int8_weights({0.01F}, -1, 9))}, "k");
  dynamic(q);
  dynamic(k);
  net.output(q);
  net.output(net.node("Add", {k, net.constant("bias", {3}, {1, 2, 3})}, "k_biased"));
  net.output(net.node("Neg", {x}, "unrounded"));
  expect_trip(net);
  const Graph file = insert_qdq(net.model);
  EXPECT_EQ(count_of(file, "DynamicQuantizeLinear"), range() == DynamicRange::PerTensor ? 1 : 0);
  EXPECT_EQ(count_of(file, "ReduceMax"), range() == DynamicRange::PerTensor ? 0 : 1);
  EXPECT_EQ(count_of(file, "MatMulInteger"), 2);
  EXPECT_EQ(count_of(file, "DequantizeLinear"), 0);
  EXPECT_EQ(file.find("wq"), ValueId::None) << "the float weights are gone";
}

TEST_P(DynamicTrip, TwoActivations) {
  const ValueId a = net.input("a", {2, 4, 5}), b = net.node("Tanh", {net.input("b", {2, 5, 3})}, "t");
  const ValueId y = net.node("MatMul", {a, b}, "y");
  dynamic(y);
  net.output(y);
  expect_trip(net);
}

TEST_P(DynamicTrip, AGemmComesBackAsItWas) {
  for (const bool transposed : {false, true}) {
    SCOPED_TRACE(transposed);
    net = {};
    net.model.graph.opset_imports[""] = std::get<1>(GetParam());
    const Shape shape = transposed ? Shape{3, 5} : Shape{5, 3};
    const ValueId w = weights(net, rng, "w", shape, int8_weights(kScales, transposed ? 0 : 1, -3));
    const ValueId y = net.node("Gemm", {net.input("x", {4, 5}), w, net.constant("b", {3}, {1, -2, 0.5F})}, "y",
                               {{"transB", int64_t{transposed}}});
    dynamic(y);
    net.output(y);
    expect_trip(net);
    // Without notes it is what the operators say.
    Graph file = insert_qdq(net.model);
    file.metadata.clear();
    const QuantizedModel back = fold_qdq(file);
    EXPECT_EQ(count_of(back.graph, "MatMul"), 1);
    EXPECT_EQ(count_of(back.graph, "Add"), 1);
    EXPECT_EQ(back.dynamic.size(), 1U);
    EXPECT_EQ(back.encodings.at("w").params.zero_point, (std::vector<int32_t>{-3, -3, -3}));
    const TensorMap inputs = random_inputs(rng, net.model.graph);
    const Tensor expected = run(net.model, inputs).at("y");
    EXPECT_TRUE(sim::Interpreter(file).run(inputs).at("y").same_as(expected));
    EXPECT_TRUE(run(back, inputs).at("y").same_as(expected));
  }
}

TEST(InsertDynamic, Convolutions) {
  Rng rng(2);
  NetBuilder net;
  const ValueId x = net.input("x", {2, 4, 6, 5});
  const std::vector<std::pair<std::string, AttributeValue>> geometry = {{"pads", std::vector<int64_t>{1, 0, 1, 2}},
                                                                        {"group", int64_t{1}}};
  const ValueId w = weights(net, rng, "w", {3, 4, 3, 2}, int8_weights(kScales, 0));
  net.output(net.node("Conv", {x, w, net.constant("y_node_bias", {3}, {1, -2, 0.5F})}, "y", geometry));
  const ValueId v = weights(net, rng, "v", {2, 4, 1, 1}, int8_weights({0.01F}, -1, 5));
  net.output(net.node("Conv", {x, v}, "z"));
  net.model.dynamic = {{"y", DynamicRange::PerTensor}, {"z", DynamicRange::PerTensor}};
  expect_trip(net);
}

TEST(InsertDynamic, ResultsOnAGrid) {
  Rng rng(3);
  NetBuilder net;
  const ValueId w = weights(net, rng, "w", {5, 3}, int8_weights(kScales, 1));
  const ValueId y = net.node("MatMul", {net.input("x", {4, 5}, uint8_grid(0.02F, 100)), w}, "y", uint8_grid(0.1F, 128));
  net.output(net.node("Relu", {y}, "r", uint8_grid(0.1F, 0)));
  net.model.dynamic["y"] = DynamicRange::PerTensor;
  expect_trip(net);
}

TEST(InsertDynamic, WeightsOfFourBitsHaveNoOperator) {
  Rng rng(4);
  NetBuilder net;
  const ValueId w = weights(net, rng, "w", {5, 3}, {DType::Int4, -8, 7, {0.1F}, {0}, -1, 0});
  net.output(net.node("MatMul", {net.input("x", {4, 5}), w}, "y"));
  net.model.dynamic["y"] = DynamicRange::PerTensor;
  EXPECT_THROW(insert_qdq(net.model), Error);
}

}  // namespace
}  // namespace halftone::dynamic_test
