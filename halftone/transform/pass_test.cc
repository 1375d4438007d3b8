#include "halftone/transform/pass.h"

#include <gtest/gtest.h>

#include <cmath>

#include "halftone/graph/op_table.h"
#include "tests/support/test_graph.h"

namespace halftone::transform::pass_test {
namespace {

using test::floats;
using test::ints;
using test::TestGraph;

std::vector<float> content(const Graph& graph, ValueId id) { return to_vector<float>(*graph.value(id).constant); }

// Scales 2 / sqrt(4) = 1 and 1 / sqrt(1/4) = 2, shifts 3 - 5 * 1 = -2 and -1 - 0 * 2 = -1.
ValueId add_norm(TestGraph& net, ValueId x) {
  const float epsilon = 1e-5f;
  return net("BatchNormalization",
             {x, net.constant(floats({2, 1})), net.constant(floats({3, -1})), net.constant(floats({5, 0})),
              net.constant(floats({4 - epsilon, 0.25f - epsilon}))},
             {{"epsilon", epsilon}});
}

TEST(FoldBatchNorm, IntoConvWithBias) {
  TestGraph net;
  const ValueId x = net.input("x", test::typed({1, 1, 4, 4}));
  const ValueId w = net.constant(Tensor::from<float>({2, 1, 1, 1}, std::vector<float>{10, 20}));
  net.graph.outputs() = {add_norm(net, net("Conv", {x, w, net.constant(floats({1, 2}))}))};
  const Graph folded = fold_batch_norm(net.graph, {});
  ASSERT_EQ(folded.nodes().size(), 1u);
  const Node& conv = folded.nodes()[0];
  EXPECT_EQ(conv.op_type, "Conv");
  EXPECT_EQ(conv.name, "n0");
  EXPECT_EQ(conv.outputs[0], net.graph.outputs()[0]);
  EXPECT_EQ(conv.inputs[1], w) << "weights that nobody else reads keep their name";
  EXPECT_NEAR(content(folded, conv.inputs[1])[0], 10, 1e-4);
  EXPECT_NEAR(content(folded, conv.inputs[1])[1], 40, 1e-3);
  EXPECT_NEAR(content(folded, conv.inputs[2])[0], 1 - 2, 1e-4);
  EXPECT_NEAR(content(folded, conv.inputs[2])[1], 4 - 1, 1e-4);
}

TEST(FoldBatchNorm, IntoGroupedConvTransposeWithoutBias) {
  TestGraph net;
  const ValueId x = net.input("x", test::typed({1, 4, 4, 4}));
  // [ic 4, oc / group 1]: input channels 0 and 1 belong to output channel 0.
  const ValueId w = net.constant(Tensor::from<float>({4, 1, 1, 1}, std::vector<float>{1, 2, 3, 4}));
  net.graph.outputs() = {add_norm(net, net("ConvTranspose", {x, w}, {{"group", int64_t{2}}}))};
  const Graph folded = fold_batch_norm(net.graph, {});
  ASSERT_EQ(folded.nodes().size(), 1u);
  const std::vector<float> weights = content(folded, folded.nodes()[0].inputs[1]);
  const std::vector<float> expected = {1, 2, 6, 8};
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(weights[i], expected[i], 1e-3);
  EXPECT_NEAR(content(folded, folded.nodes()[0].inputs[2])[0], -2, 1e-4);
}

TEST(FoldBatchNorm, SharedWeightsAreNotChangedForOthers) {
  TestGraph net;
  const ValueId x = net.input("x", test::typed({1, 1, 4, 4}));
  const ValueId w = net.constant(Tensor::from<float>({2, 1, 1, 1}, std::vector<float>{10, 20}));
  net.graph.outputs() = {add_norm(net, net("Conv", {x, w})), net("Conv", {x, w})};
  const Graph folded = fold_batch_norm(net.graph, {});
  ASSERT_EQ(folded.nodes().size(), 2u);
  EXPECT_NE(folded.nodes()[0].inputs[1], w);
  EXPECT_EQ(content(folded, w), (std::vector<float>{10, 20}));
}

TEST(FoldBatchNorm, LeavesWhatSomebodyElseSees) {
  TestGraph net;
  const ValueId x = net.input("x", test::typed({1, 1, 4, 4}));
  const ValueId w = net.constant(Tensor::from<float>({2, 1, 1, 1}, std::vector<float>{10, 20}));
  const ValueId y = net("Conv", {x, w});
  net.graph.outputs() = {add_norm(net, y)};
  const std::string conv_output = net.graph.value(y).name, weights = net.graph.value(w).name;
  EXPECT_EQ(fold_batch_norm(net.graph, {conv_output}).nodes().size(), 2u);
  EXPECT_EQ(fold_batch_norm(net.graph, {weights}).nodes().size(), 2u);
  net.graph.outputs().push_back(y);
  EXPECT_EQ(fold_batch_norm(net.graph, {}).nodes().size(), 2u);
}

TEST(FoldConstants, ShapeArithmeticDisappears) {
  TestGraph net;
  const ValueId x = net.input("x", test::typed({2, 3, 4}));
  const ValueId batch = net("Gather", {net("Shape", {x}), net.constant(ints({0}))});
  const ValueId target = net("Concat", {batch, net.constant(ints({-1}))}, {{"axis", int64_t{0}}});
  net.graph.outputs() = {net("Reshape", {x, target})};
  infer_shapes(net.graph);
  const Graph folded = fold_constants(net.graph, {});
  ASSERT_EQ(folded.nodes().size(), 1u);
  EXPECT_EQ(to_vector<int64_t>(*folded.value(folded.nodes()[0].inputs[1]).constant), (std::vector<int64_t>{2, -1}));
}

TEST(FoldConstants, OverridableInputsAndKeptConstantsStay) {
  TestGraph net;
  const ValueId a = net.constant(floats({1, 2})), b = net.constant(floats({3, 4}));
  net.graph.outputs() = {net("Relu", {net("Add", {a, b})})};
  infer_shapes(net.graph);
  EXPECT_EQ(fold_constants(net.graph, {}).nodes().size(), 1u);
  EXPECT_EQ(fold_constants(net.graph, {net.graph.value(a).name}).nodes().size(), 2u);
  net.graph.inputs().push_back(a);
  EXPECT_EQ(fold_constants(net.graph, {}).nodes().size(), 2u);
  EXPECT_EQ(fold_constants(freeze_inputs(net.graph, {}), {}).nodes().size(), 1u);
}

TEST(FoldConstants, WhatWouldBlowUpStaysANode) {
  TestGraph net;
  const ValueId huge = net("ConstantOfShape", {net.constant(ints({1 << 20, 1 << 10}))});
  net.graph.outputs() = {net("Relu", {huge})};
  infer_shapes(net.graph);
  EXPECT_EQ(fold_constants(net.graph, {}).nodes().size(), 2u);
}

TEST(RemoveIdentity, InTheMiddleAndAtTheOutput) {
  TestGraph net;
  const ValueId x = net.input("x", test::typed({2, 3}));
  const ValueId middle = net("Relu", {net("Identity", {net("Dropout", {x})})});
  net.graph.outputs() = {net("Identity", {net("Identity", {middle})})};
  infer_shapes(net.graph);
  const Graph left = remove_identity(net.graph, {});
  ASSERT_EQ(left.nodes().size(), 1u);
  EXPECT_EQ(left.nodes()[0].inputs[0], x);
  EXPECT_EQ(left.nodes()[0].outputs[0], net.graph.outputs()[0]) << "graph outputs keep their names";
}

TEST(RemoveIdentity, KeepsWhatIsNeeded) {
  TestGraph net;
  const ValueId x = net.input("x", test::typed({2, 3}));
  const ValueId y = net("Identity", {x});  // from input to output: nobody else could make y
  const ValueId z = net("Identity", {x});  // a change of grid
  net.graph.outputs() = {y, net("Relu", {z})};
  infer_shapes(net.graph);
  const Graph left = remove_identity(net.graph, {net.graph.value(z).name});
  EXPECT_EQ(left.nodes().size(), 3u);
}

TEST(RemoveIdentity, NoOpsByTypeAndAttributes) {
  TestGraph net;
  const ValueId x = net.input("x", test::typed({2, 3}));
  ValueId y = net("Reshape", {x, net.constant(ints({2, -1}))});
  y = net("Cast", {y}, {{"to", int64_t{1}}});
  y = net("Pad", {y, net.constant(ints({0, 0, 0, 0}))});
  y = net("Transpose", {y}, {{"perm", test::list({0, 1})}});
  y = net("Concat", {y}, {{"axis", int64_t{0}}});
  const ValueId moved = net("Transpose", {y}, {{"perm", test::list({1, 0})}});
  net.graph.outputs() = {net("Relu", {moved})};
  infer_shapes(net.graph);
  EXPECT_EQ(remove_identity(net.graph, {}).nodes().size(), 2u) << "only the real transpose and Relu are left";
}

// --- scales, shifts and clips

Graph after_conv(const std::string& op, Tensor operand, bool operand_first = false) {
  TestGraph net;
  const ValueId x = net.input("x", test::typed({1, 1, 4, 4}));
  const ValueId y = net("Conv", {x, net.constant(Tensor::from<float>({2, 1, 1, 1}, std::vector<float>{10, 20})),
                                 net.constant(floats({1, 2}))});
  const ValueId c = net.constant(std::move(operand));
  net.graph.outputs() = {operand_first ? net(op, {c, y}) : net(op, {y, c})};
  infer_shapes(net.graph);
  return net.graph;
}
// Weights and bias that result, or nothing when the operator is still there.
std::vector<float> folded(const Graph& graph) {
  const Graph left = fold_scale_shift(graph, {});
  if (left.nodes().size() != 1) return {};
  std::vector<float> numbers = content(left, left.nodes()[0].inputs[1]);
  for (const float b : content(left, left.nodes()[0].inputs[2])) numbers.push_back(b);
  return numbers;
}

TEST(FoldScaleShift, ByHand) {
  const Tensor by_channel = Tensor::from<float>({2, 1, 1}, std::vector<float>{2, -4});
  EXPECT_EQ(folded(after_conv("Mul", by_channel)), (std::vector<float>{20, -80, 2, -8}));
  EXPECT_EQ(folded(after_conv("Mul", Tensor::scalar(0.5f), true)), (std::vector<float>{5, 10, 0.5f, 1}));
  EXPECT_EQ(folded(after_conv("Div", by_channel)), (std::vector<float>{5, -5, 0.5f, -0.5f}));
  EXPECT_EQ(folded(after_conv("Add", by_channel)), (std::vector<float>{10, 20, 3, -2}));
  EXPECT_EQ(folded(after_conv("Sub", by_channel)), (std::vector<float>{10, 20, -1, 6}));
  EXPECT_EQ(folded(after_conv("Sub", by_channel, true)), (std::vector<float>{-10, -20, 1, -6}));
}

TEST(FoldScaleShift, LeavesWhatIsNoScaleByChannel) {
  EXPECT_TRUE(folded(after_conv("Div", Tensor::scalar(2.0f), true)).empty()) << "a constant divided";
  EXPECT_TRUE(folded(after_conv("Div", Tensor::scalar(0.0f))).empty());
  EXPECT_TRUE(folded(after_conv("Mul", Tensor::scalar(INFINITY))).empty());
  EXPECT_TRUE(folded(after_conv("Mul", floats({1, 2, 3, 4}))).empty()) << "by column";
  EXPECT_TRUE(folded(after_conv("Add", Tensor::from<float>({1, 1, 1, 1, 1}, std::vector<float>{1}))).empty())
      << "the result has another rank";
}

std::string clips_left(const std::string& first, const std::string& second) {
  TestGraph net;
  const auto apply = [&](const std::string& what, ValueId x) {
    if (what == "Relu") return net("Relu", {x});
    const size_t comma = what.find(',');
    return net("Clip", {x, net.constant(Tensor::scalar(std::stof(what.substr(0, comma)))),
                        net.constant(Tensor::scalar(std::stof(what.substr(comma + 1))))});
  };
  net.graph.outputs() = {apply(second, apply(first, net.input("x", test::typed({2, 3}))))};
  infer_shapes(net.graph);
  const Graph left = merge_clips(net.graph, {});
  std::string text;
  for (const Node& node : left.nodes()) {
    text += node.op_type;
    for (size_t i = 1; i < node.inputs.size(); ++i)
      text += node.inputs[i] == ValueId::None ? " none" : fmt::format(" {}", content(left, node.inputs[i])[0]);
  }
  return text;
}

TEST(MergeClips, ByHand) {
  EXPECT_EQ(clips_left("Relu", "Relu"), "Relu");
  EXPECT_EQ(clips_left("Relu", "-1,6"), "Clip 0 6");
  EXPECT_EQ(clips_left("-1,6", "Relu"), "Clip 0 6");
  EXPECT_EQ(clips_left("0,4", "2,6"), "Clip 2 4");
  EXPECT_EQ(clips_left("5,7", "0,3"), "Clip 3 3") << "all numbers become 3";
  EXPECT_EQ(clips_left("-3,-1", "Relu"), "Clip 0 0");
}

TEST(MergeClips, LeavesWhatOthersSee) {
  TestGraph net;
  const ValueId y = net("Relu", {net.input("x", test::typed({2, 3}))});
  net.graph.outputs() = {net("Relu", {y})};
  EXPECT_EQ(merge_clips(net.graph, {net.graph.value(y).name}).nodes().size(), 2u);
  net.graph.outputs().push_back(y);
  EXPECT_EQ(merge_clips(net.graph, {}).nodes().size(), 2u);
}

}  // namespace
}  // namespace halftone::transform::pass_test
