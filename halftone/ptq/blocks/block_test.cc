#include "halftone/ptq/blocks/block.h"

#include <gtest/gtest.h>

#include "halftone/graph/op_table.h"
#include "halftone/ptq/test_bench.h"

namespace halftone::ptq::block_test {
namespace {

using test::Net;
using test::random_tensor;

void conv(Net& net, const std::string& name, const std::string& input) {
  net.layer("Conv", name, input, random_tensor({4, 4, 1, 1}, 1));
}

// "input > output: node node; ..."
std::string blocks_of(Net& net, const std::string& output) {
  net.finish(output);
  infer_shapes(net.graph);
  std::string text;
  for (const Block& block : find_blocks(net.graph)) {
    text += (text.empty() ? "" : "; ") + block.input + " > " + block.output + ":";
    for (int i : block.nodes) text += " " + net.graph.nodes()[static_cast<size_t>(i)].name;
  }
  return text;
}

Net network() { return Net({Dim(1), 4, 5, 5}); }

TEST(FindBlocks, ResidualBlocksStandAlone) {
  Net net = network();
  conv(net, "stem", "x");
  net.add("Relu", "r0", {"stem"});
  conv(net, "a", "r0");
  net.add("Relu", "ar", {"a"});
  conv(net, "b", "ar");
  net.add("Add", "s", {"b", "r0"});
  net.add("Relu", "r1", {"s"});
  net.add("Identity", "i", {"r1"});
  conv(net, "c", "i");
  conv(net, "d", "r1");
  net.add("Add", "t", {"c", "d"});
  conv(net, "last", "t");
  EXPECT_EQ(blocks_of(net, "last"), "x > r0: stem r0; r0 > r1: a ar b s r1; r1 > t: i c d t; t > last: last");
}

TEST(FindBlocks, ChainsAreCutEveryThreeLayers) {
  Net net = network();
  std::string input = "x";
  for (const std::string name : {"a", "b", "c", "d", "e"}) {
    conv(net, name, input);
    net.add("Relu", name + "r", {name});
    input = name + "r";
  }
  EXPECT_EQ(blocks_of(net, "er"), "x > cr: a ar b br c cr; cr > er: d dr e er");
}

TEST(FindBlocks, UnknownOperatorsLeaveSingleLayers) {
  Net net = network();
  conv(net, "a", "x");
  conv(net, "b", "a");
  net.add("Sigmoid", "g", {"b"});
  net.add("Mul", "m", {"g", "b"});
  net.add("MaxPool", "p", {"m"}).set_attribute("kernel_shape", std::vector<int64_t>{1, 1});
  conv(net, "c", "p");
  EXPECT_EQ(blocks_of(net, "c"), "x > b: a b; p > c: c");
}

TEST(FindBlocks, LayersInsideAStretchThatIsNoBlock) {
  Net net = network();
  conv(net, "a", "x");
  conv(net, "b", "a");
  net.add("Relu", "br", {"b"});
  conv(net, "c", "a");
  net.add("Sigmoid", "cs", {"c"});
  net.add("Mul", "m", {"br", "cs"});
  EXPECT_EQ(blocks_of(net, "m"), "x > a: a; a > br: b br; a > c: c");
}

TEST(FindBlocks, BroadcastAdditionsAreNotOnes) {
  Net net = network();
  conv(net, "a", "x");
  net.add("GlobalAveragePool", "mean", {"a"});
  net.add("Add", "s", {"a", "mean"});
  EXPECT_EQ(blocks_of(net, "s"), "x > a: a");
}

TEST(FindBlocks, SeveralInputsAndOutputs) {
  Net net = network();
  conv(net, "a", "x");
  conv(net, "b", "a");
  net.finish("b");
  net.graph.outputs().push_back(net.graph.find("a"));
  infer_shapes(net.graph);
  // What is also an output is needed to the end, so nothing behind it is led on alone.
  const std::vector<Block> blocks = find_blocks(net.graph);
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_EQ(blocks[0].output, "a");
  EXPECT_EQ(blocks[1].nodes, std::vector<int>{1});
}

TEST(FindBlocks, NoLayersNoBlocks) {
  Net net = network();
  net.add("Relu", "r", {"x"});
  EXPECT_EQ(blocks_of(net, "r"), "");
}

}  // namespace
}  // namespace halftone::ptq::block_test
