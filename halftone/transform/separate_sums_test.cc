#include "halftone/transform/separate_sums.h"

#include <gtest/gtest.h>

#include "halftone/quant/activation_spec.h"
#include "halftone/quant/assign.h"
#include "tests/support/test_graph.h"

namespace halftone::transform::separate_sums_test {
namespace {

using test::TestGraph;

// A residual block: r = Relu(a(x)); y = Relu(r + b(r)), which `last` and, where asked, another sum read.
struct Block {
  TestGraph net;
  ValueId r, y;

  ValueId conv(ValueId x) {
    return net("Conv", {x, net.constant(Tensor::from<float>({2, 2, 1, 1}, {1, 0.5F, -1, 2}))});
  }
  explicit Block(bool stream_goes_on) {
    const ValueId x = net.input("x", test::typed({1, 2, 4, 4}));
    r = net("Relu", {conv(x)});
    y = net("Relu", {net("Add", {r, conv(r)})});
    const ValueId last = conv(y);
    net.graph.outputs() = {stream_goes_on ? conv(net("Relu", {net("Add", {last, y})})) : last};
    infer_shapes(net.graph);
  }
};

Recipe recipe_of(const std::string& activations) { return make_recipe("int4", activations, "per_channel", "min_max"); }

std::vector<std::string> ops_of(const Graph& graph) {
  std::vector<std::string> ops;
  for (const Node& node : graph.nodes()) ops.push_back(node.op_type);
  return ops;
}

// Bits of the grid that the plan gives a value; 0: none.
int bits_of_value(const Graph& graph, const Recipe& recipe, ValueId id) {
  for (const GridGroup& group : plan_quantization(graph, recipe).groups) {
    if (std::find(group.values.begin(), group.values.end(), id) != group.values.end()) return group.spec.bits;
  }
  return 0;
}

TEST(SeparateSums, ProductsReadFewBitsAndSumsEight) {
  const Block block(true);
  const Recipe recipe = recipe_of("uint4");
  const Graph graph = separate_sums(block.net.graph, recipe);
  const std::vector<std::string> expected = {"Conv",     "Relu", "Identity", "Conv", "Add", "Relu",
                                             "Identity", "Conv", "Add",      "Relu", "Conv"};
  EXPECT_EQ(ops_of(graph), expected);
  const GraphIndex index(graph);
  int products = 0;
  for (const Node& node : graph.nodes()) {
    if (is_product(node) && index.producer(node.inputs[0]) >= 0) {
      EXPECT_EQ(bits_of_value(graph, recipe, node.inputs[0]), 4) << ++products;
    } else if (node.is("Add")) {
      for (ValueId id : node.inputs) EXPECT_EQ(bits_of_value(graph, recipe, id), 8);
    }
  }
}

TEST(SeparateSums, WhatOnlyProductsReadIsAnOperandOfTheirs) {
  const Block block(false);
  const Recipe recipe = recipe_of("uint4");
  const Graph graph = separate_sums(block.net.graph, recipe);
  EXPECT_EQ(bits_of_value(graph, recipe, block.y), 4);
  EXPECT_EQ(bits_of_value(graph, recipe, block.r), 8);
}

TEST(SeparateSums, NothingChangesWhereSumsHaveTheSameGrid) {
  const Block block(true);
  EXPECT_EQ(ops_of(separate_sums(block.net.graph, recipe_of("uint8"))), ops_of(block.net.graph));
  EXPECT_EQ(ops_of(separate_sums(block.net.graph, recipe_of("uint16"))), ops_of(block.net.graph));
  Recipe asked = recipe_of("uint4");
  asked.sums = asked.activations;
  EXPECT_EQ(ops_of(separate_sums(block.net.graph, asked)), ops_of(block.net.graph));
  EXPECT_EQ(bits_of_value(block.net.graph, asked, block.r), 4);
}

TEST(SeparateSums, SumsOfMoreBitsThanEightCanBeAskedFor) {
  const Block block(true);
  const Recipe recipe = Recipe::from_json(R"({"sums": {"type": "uint12"}})", "recipe", recipe_of("uint8"));
  const Graph graph = separate_sums(block.net.graph, recipe);
  EXPECT_EQ(bits_of_value(graph, recipe, block.r), 12);
  EXPECT_EQ(bits_of_value(graph, recipe, graph.find(graph.value(block.r).name + "_operand")), 8);
}

TEST(SeparateSums, RulesGoFirst) {
  const Block block(true);
  const std::string name = block.net.graph.value(block.r).name;
  const Recipe recipe = Recipe::from_json(
      R"({"rules": [{"match": {"name": ")" + name + R"(", "role": "activations"}, "spec": {"type": "uint6"}}]})",
      "recipe", recipe_of("uint4"));
  const Graph graph = separate_sums(block.net.graph, recipe);
  EXPECT_EQ(graph.find(name + "_operand"), ValueId::None);
  EXPECT_EQ(bits_of_value(graph, recipe, block.r), 6);
  EXPECT_EQ(bits_of_value(graph, recipe, block.y), 8) << "no rule speaks of it";
}

TEST(SeparateSums, DoneTwiceIsDoneOnce) {
  const Block block(true);
  const Recipe recipe = recipe_of("uint4");
  const Graph once = separate_sums(block.net.graph, recipe);
  EXPECT_EQ(ops_of(separate_sums(once, recipe)), ops_of(once));
}

TEST(SeparateSums, WhatReachesASumMovedIsPartOfIt) {
  TestGraph net;
  const ValueId kernels = net.constant(Tensor::from<float>({2, 2, 1, 1}, {1, 0.5F, -1, 2}));
  const ValueId x = net.input("x", test::typed({1, 2, 4, 4}));
  const ValueId r = net("Relu", {net("Conv", {x, kernels})});
  const ValueId half =
      net("Slice", {r, net.constant(test::ints({0})), net.constant(test::ints({1})), net.constant(test::ints({1}))});
  const ValueId padded = net("Pad", {half, net.constant(test::ints({0, 0, 0, 0, 0, 1, 0, 0}))});
  const ValueId moved_elsewhere =
      net("Slice", {r, net.constant(test::ints({0})), net.constant(test::ints({2})), net.constant(test::ints({2}))});
  net.graph.outputs() = {net("Conv", {net("Relu", {net("Add", {padded, net("Conv", {r, kernels})})}), kernels}),
                         net("Conv", {moved_elsewhere, kernels})};
  infer_shapes(net.graph);
  const Recipe recipe = recipe_of("uint4");
  const Graph graph = separate_sums(net.graph, recipe);
  for (ValueId id : {r, half, padded}) EXPECT_EQ(bits_of_value(graph, recipe, id), 8) << graph.value(id).name;
  EXPECT_EQ(bits_of_value(graph, recipe, graph.find(graph.value(r).name + "_operand")), 4);
  EXPECT_EQ(bits_of_value(graph, recipe, moved_elsewhere), 4);
}

// A sum may be reached on more ways than could be walked one by one.
TEST(SeparateSums, ManyWaysToASumAreLookedAtOnce) {
  TestGraph net;
  const ValueId x = net.input("x", test::typed({1, 1}));
  ValueId moved = net("Relu", {x});
  for (int i = 0; i < 200; ++i) {
    const ValueId both = net("Concat", {moved, moved}, {{"axis", int64_t{1}}});
    moved = net("Slice",
                {both, net.constant(test::ints({0})), net.constant(test::ints({1})), net.constant(test::ints({1}))});
  }
  net.graph.outputs() = {moved};
  const GraphIndex index(net.graph);
  EXPECT_FALSE(is_summed(net.graph, index, net.graph.nodes().front().outputs[0]));
}

TEST(SeparateSums, ConstantsThatAreAddedMakeNoSum) {
  TestGraph net;
  const ValueId x = net.input("x", test::typed({1, 3}));
  const ValueId y =
      net("Add", {net("MatMul", {x, net.constant(Tensor::from<float>({3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9}))}),
                  net.constant(test::floats({1, 2, 3}))});
  const ValueId z = net("Relu", {y});
  net.graph.outputs() = {net("MatMul", {z, net.constant(Tensor::from<float>({3, 1}, {1, 2, 3}))})};
  infer_shapes(net.graph);
  const Recipe recipe = recipe_of("uint4");
  EXPECT_EQ(ops_of(separate_sums(net.graph, recipe)), ops_of(net.graph));
  EXPECT_EQ(bits_of_value(net.graph, recipe, z), 4);
}

}  // namespace
}  // namespace halftone::transform::separate_sums_test
