// The interpreter knows what each operator meant in each version: a network must compute the same before and after.
#include "halftone/transform/upgrade_opset.h"

#include <gtest/gtest.h>

#include "halftone/graph/op_table.h"
#include "halftone/sim/interpreter.h"
#include "tests/support/quantized_net.h"

namespace halftone::upgrade_opset_test {
namespace {

using test::NetBuilder;
using Attributes = std::vector<std::pair<std::string, AttributeValue>>;

struct Net : NetBuilder {
  explicit Net(int64_t opset) { model.graph.opset_imports[""] = opset; }
};

void expect_same(const Net& net, std::vector<int64_t> targets = {13, 18, 21}) {
  Rng rng(1);
  TensorMap inputs;
  for (ValueId id : net.model.graph.inputs()) {
    const Shape shape = *net.model.graph.value(id).type.fixed_shape();
    inputs[net.model.graph.value(id).name] = Tensor::from(shape, test::random_floats(rng, element_count(shape), -2, 2));
  }
  const TensorMap expected = sim::Interpreter(net.model.graph).run(inputs);
  for (int64_t target : targets) {
    SCOPED_TRACE(target);
    const Graph upgraded = upgrade_opset(net.model.graph, target);
    EXPECT_EQ(upgraded.opset(), std::max(target, net.model.graph.opset()));
    EXPECT_NO_THROW(verify(upgraded));
    const TensorMap found = sim::Interpreter(upgraded).run(inputs);
    ASSERT_EQ(found.size(), expected.size());
    for (const auto& [name, tensor] : expected) {
      ASSERT_TRUE(found.contains(name)) << name;
      EXPECT_TRUE(tensor.same_as(found.at(name))) << name;
    }
  }
}

// One node on one input of shape [2, 3, 4, 5].
void expect_node(int64_t opset, const std::string& op, const Attributes& attributes,
                 std::vector<int64_t> targets = {13, 18, 21}) {
  SCOPED_TRACE(op);
  Net net(opset);
  net.output(net.node(op, {net.input("x", {2, 3, 4, 5})}, "y", attributes));
  expect_same(net, std::move(targets));
}

std::vector<int64_t> ints(std::initializer_list<int64_t> values) { return values; }

TEST(UpgradeOpset, SoftmaxOverSeveralAxes) {
  for (const char* op : {"Softmax", "LogSoftmax", "Hardmax"}) {
    expect_node(7, op, {});
    for (int64_t axis : {0, 1, 2, 3}) expect_node(9, op, {{"axis", axis}});
    expect_node(11, op, {{"axis", int64_t{-2}}});
    expect_node(11, op, {{"axis", int64_t{-1}}});
  }
}

TEST(UpgradeOpset, AttributesBecomeInputs) {
  expect_node(9, "Clip", {{"min", -0.5F}, {"max", 0.75F}});
  expect_node(7, "Clip", {{"max", 0.75F}});
  expect_node(7, "Clip", {});
  expect_node(9, "Slice", {{"starts", ints({1, 0})}, {"ends", ints({3, -1})}, {"axes", ints({1, 3})}});
  expect_node(7, "Slice", {{"starts", ints({0, 1})}, {"ends", ints({2, 3})}});
  expect_node(9, "Pad", {{"pads", ints({0, 0, 1, 2, 0, 0, 2, 1})}, {"value", 0.5F}});
  expect_node(7, "Pad", {{"pads", ints({0, 0, 1, 2, 0, 0, 2, 1})}, {"mode", std::string("reflect")}});
  expect_node(11, "Unsqueeze", {{"axes", ints({0, 3})}});
  expect_node(7, "Unsqueeze", {{"axes", ints({1})}});
  expect_node(12, "ReduceSum", {{"axes", ints({1, -1})}, {"keepdims", int64_t{0}}});
  expect_node(7, "ReduceSum", {});
  Net squeeze(9);
  squeeze.output(squeeze.node("Squeeze", {squeeze.input("x", {2, 1, 3, 1})}, "y", {{"axes", ints({1, 3})}}));
  expect_same(squeeze);
}

TEST(UpgradeOpset, ReductionsOfOpset18) {
  for (const char* op : {"ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
                         "ReduceSumSquare", "ReduceLogSumExp"}) {
    expect_node(9, op, {{"axes", ints({2})}, {"keepdims", int64_t{0}}});
    expect_node(13, op, {});
  }
}

TEST(UpgradeOpset, Resizing) {
  Net seven(7);
  seven.output(seven.node("Upsample", {seven.input("x", {1, 2, 3, 3})}, "y",
                          {{"scales", std::vector<float>{1, 1, 2, 3}}, {"mode", std::string("nearest")}}));
  expect_same(seven);
  for (const char* mode : {"nearest", "linear"}) {
    Net nine(9);
    nine.output(nine.node("Upsample", {nine.input("x", {1, 2, 3, 3}), nine.constant("s", {4}, {1, 1, 2, 1.5F})}, "y",
                          {{"mode", std::string(mode)}}));
    expect_same(nine);
    Net ten(10);
    ten.output(ten.node("Resize", {ten.input("x", {1, 2, 3, 4}), ten.constant("s", {4}, {1, 1, 2, 0.5F})}, "y",
                        {{"mode", std::string(mode)}}));
    expect_same(ten);
  }
}

TEST(UpgradeOpset, SplitTopKDropoutAndBatchNormalization) {
  for (const bool sized : {true, false}) {
    Net split(11);
    split.output(split.node("Split", {split.input("x", {2, 4})}, "a", {{"axis", int64_t{1}}}));
    Node& node = split.model.graph.nodes().back();
    if (sized) node.set_attribute("split", ints({1, 3}));
    node.outputs.push_back(split.model.graph.add_value("b"));
    split.output(node.outputs[1]);
    expect_same(split);
  }
  Net top(9);
  top.output(top.node("TopK", {top.input("x", {3, 7})}, "values", {{"k", int64_t{3}}}));
  top.model.graph.nodes().back().outputs.push_back(top.model.graph.add_value("indices"));
  expect_same(top);

  expect_node(7, "Dropout", {{"ratio", 0.3F}});

  Net norm(7);
  std::vector<ValueId> operands = {norm.input("x", {2, 3, 2, 2})};
  for (const char* name : {"scale", "bias", "mean", "variance"}) {
    operands.push_back(norm.constant(name, {3}, {0.5F, 1, 2}));
  }
  norm.output(norm.node("BatchNormalization", operands, "y", {{"spatial", int64_t{1}}}));
  expect_same(norm);
}

TEST(UpgradeOpset, NamesStayAndNewerNetworksAreUntouched) {
  Net net(9);
  const ValueId x = net.input("x", {2, 3, 4});
  net.output(net.node("Softmax", {net.node("Clip", {x}, "clipped", {{"min", 0.0F}})}, "y"));
  const Graph upgraded = upgrade_opset(net.model.graph, 13);
  EXPECT_NE(upgraded.find("clipped"), ValueId::None);
  EXPECT_EQ(upgraded.nodes()[0].name, "clipped_node");
  EXPECT_EQ(upgraded.value(upgraded.nodes()[0].inputs[1]).name, "clipped_node_min");
  EXPECT_EQ(upgraded.nodes().size(), 5U);
  EXPECT_EQ(upgrade_opset(upgraded, 13).nodes().size(), 5U);
  EXPECT_EQ(upgrade_opset(upgrade_opset(net.model.graph, 18), 13).opset(), 18);
}

TEST(UpgradeOpset, WhatCannotBeSaidIsRefused) {
  const auto refuses = [](const Net& net, int64_t target, const std::string& text) {
    try {
      upgrade_opset(net.model.graph, target);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::Unsupported);
      EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
    }
  };
  Net norm(7);
  std::vector<ValueId> operands = {norm.input("x", {2, 3, 2, 2})};
  for (const char* name : {"scale", "bias", "mean", "variance"}) {
    operands.push_back(norm.constant(name, {3}, {0.5F, 1, 2}));
  }
  norm.output(norm.node("BatchNormalization", operands, "y", {{"spatial", int64_t{0}}}));
  refuses(norm, 13, "spatial");

  Net old(6);
  old.output(old.node("Relu", {old.input("x", {2})}, "y"));
  refuses(old, 13, "opset 7");

  Net branch(11);
  branch.output(branch.node("If", {branch.input("x", {})}, "y", {{"then_branch", OpaqueAttribute{"..."}}}));
  branch.model.graph.value(branch.model.graph.inputs()[0]).type.dtype = DType::Bool;
  refuses(branch, 13, "subgraph");
}

}  // namespace
}  // namespace halftone::upgrade_opset_test
