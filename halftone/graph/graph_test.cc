#include "halftone/graph/graph.h"

#include <gtest/gtest.h>

#include "tests/support/test_graph.h"

namespace halftone::graph_test {
namespace {

using namespace test;

std::vector<std::string> node_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes()) names.push_back(node.name);
  return names;
}

TEST(Graph, ValueNamesAreUnique) {
  Graph graph;
  const ValueId a = graph.add_value("a");
  EXPECT_THROW(graph.add_value("a"), Error);
  EXPECT_THROW(graph.add_value(""), Error);
  EXPECT_EQ(graph.fresh_name("b"), "b");
  EXPECT_EQ(graph.fresh_name("a"), "a_1");
  graph.add_value("a_1");
  EXPECT_EQ(graph.fresh_name("a"), "a_2");
  graph.rename_value(a, "c");
  EXPECT_EQ(graph.find("c"), a);
  EXPECT_EQ(graph.find("a"), ValueId::None);
  EXPECT_THROW(graph.rename_value(a, "a_1"), Error);
  graph.rename_value(a, "c");
}

TEST(Graph, CopiesAreIndependentButShareTensors) {
  TestGraph net;
  const ValueId weight = net.constant(floats({1, 2}));
  Graph copy = net.graph;
  copy.rename_value(weight, "w");
  EXPECT_EQ(net.graph.value(weight).name, "constant");
  EXPECT_EQ(copy.value(weight).constant->bytes().data(), net.graph.value(weight).constant->bytes().data());
}

TEST(Graph, SortIsStableAndFindsCycles) {
  TestGraph net;
  const ValueId x = net.input("x", typed({1}));
  const ValueId a = net("Relu", {x});
  const ValueId b = net("Relu", {x});
  net("Add", {b, a});
  auto& nodes = net.graph.nodes();
  net.graph.sort();
  EXPECT_EQ(node_names(net.graph), (std::vector<std::string>{"n0", "n1", "n2"}));
  std::swap(nodes[0], nodes[2]);
  net.graph.sort();
  EXPECT_EQ(node_names(net.graph), (std::vector<std::string>{"n1", "n0", "n2"}));
  nodes[0].captures = {nodes[2].outputs[0]};
  EXPECT_THROW(net.graph.sort(), Error);
}

TEST(Graph, RemoveDeadKeepsInputsOutputsAndWhatTheyNeed) {
  TestGraph net;
  const ValueId x = net.input("x", typed({1}));
  const ValueId unused_input = net.input("unused", typed({1}));
  const ValueId kept = net.constant(floats({1}));
  const ValueId dropped = net.constant(floats({2}));
  const ValueId captured = net("Exp", {x});
  const ValueId y = net("Add", {x, kept});
  const ValueId dead = net("Mul", {y, dropped});
  net.graph.nodes()[1].captures = {captured};
  net.graph.outputs() = {y};
  net.graph.remove_dead();
  EXPECT_EQ(node_names(net.graph), (std::vector<std::string>{"n0", "n1"}));
  EXPECT_EQ(net.graph.live_values(), (std::vector<ValueId>{x, unused_input, kept, captured, y}));
  EXPECT_EQ(net.graph.find("n2_out"), ValueId::None);
  EXPECT_TRUE(net.graph.value(dead).name.empty());
}

TEST(Graph, ReplaceUsesLeavesGraphOutputs) {
  TestGraph net;
  const ValueId x = net.input("x", typed({1}));
  const ValueId a = net("Relu", {x});
  net("Add", {a, a});
  net.graph.outputs() = {a};
  net.graph.replace_uses(a, x);
  EXPECT_EQ(net.graph.nodes()[1].inputs, (std::vector<ValueId>{x, x}));
  EXPECT_EQ(net.graph.outputs(), (std::vector<ValueId>{a}));
}

TEST(Graph, RequiredInputsHaveNoDefault) {
  TestGraph net;
  const ValueId x = net.input("x", typed({1}));
  const ValueId y = net.input("y", typed({1}));
  net.graph.value(y).constant = floats({1});
  EXPECT_EQ(net.graph.required_inputs(), (std::vector<ValueId>{x}));
}

TEST(GraphIndex, KnowsProducersAndConsumers) {
  TestGraph net;
  const ValueId x = net.input("x", typed({1}));
  const ValueId a = net("Relu", {x});
  const ValueId b = net("Add", {a, a});
  const ValueId c = net("Relu", {b});
  net.graph.outputs() = {c};
  const GraphIndex index(net.graph);
  EXPECT_EQ(index.producer(x), -1);
  EXPECT_EQ(index.producer(b), 1);
  EXPECT_EQ(index.consumers(a), (std::vector<int>{1, 1}));
  EXPECT_EQ(index.sole_consumer(a), -1) << "one node, but both its operands";
  EXPECT_EQ(index.sole_consumer(b), 2);
  EXPECT_EQ(index.sole_consumer(c), -1) << "a graph output";
  EXPECT_TRUE(index.is_graph_input(x));
  EXPECT_TRUE(index.is_graph_output(c));
}

TEST(Node, AttributesHaveTypes) {
  Node node;
  node.op_type = "Conv";
  node.name = "c";
  node.set_attribute("group", int64_t{2});
  EXPECT_EQ(node.int_or("group", 1), 2);
  EXPECT_EQ(node.int_or("absent", 7), 7);
  EXPECT_THROW(node.float_or("group", 0), Error);
  EXPECT_EQ(node.tensor_or_null("absent"), nullptr);
  node.set_attribute("group", int64_t{3});
  EXPECT_EQ(node.attributes.size(), 1u);
  EXPECT_EQ(node.int_or("group", 1), 3);
  node.remove_attribute("group");
  EXPECT_EQ(node.find_attribute("group"), nullptr);
}

TEST(TensorType, ReadsAsText) {
  EXPECT_EQ(to_string(typed({"N", 3, "?"})), "float[N, 3, ?]");
  EXPECT_EQ(to_string(TensorType{DType::Int4, {}}), "int4[...]");
  EXPECT_EQ(to_string(typed({})), "float[]");
  EXPECT_EQ(typed({2, 3}).fixed_shape(), (Shape{2, 3}));
  EXPECT_EQ(typed({2, "N"}).fixed_shape(), std::nullopt);
}

}  // namespace
}  // namespace halftone::graph_test
