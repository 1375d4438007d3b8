#include "halftone/transform/absorb_bias.h"

#include <gtest/gtest.h>

#include "halftone/graph/op_table.h"
#include "tests/support/test_graph.h"

namespace halftone::transform::absorb_bias_test {
namespace {

using test::floats;
using test::TestGraph;

std::vector<float> content(const Graph& graph, ValueId id) { return to_vector<float>(*graph.value(id).constant); }

// Two channels of known moments, an activation, and a 1x1 convolution that reads them with weights 2, -1 and 0, 3.
struct Pair {
  TestGraph net;
  std::string made;
  Graph& graph() { return net.graph; }
};
Pair pair(const std::string& activation, const test::Attributes& attributes = {}) {
  Pair result;
  TestGraph& net = result.net;
  const ValueId x = net.input("x", test::typed({1, 1, 3, 3}));
  const ValueId y =
      net("Conv", {x, net.constant(Tensor::from<float>({2, 1, 1, 1}, {1, 1})), net.constant(floats({5, 1}))});
  result.made = net.graph.value(y).name;
  const ValueId z = activation == "Clip"
                        ? net("Clip", {y, net.constant(Tensor::scalar(0.0f)), net.constant(Tensor::scalar(6.0f))})
                        : net(activation, {y});
  const Tensor reads = Tensor::from<float>({2, 2, 1, 1}, {2, -1, 0, 3});
  net.graph.outputs() = {net("Conv", {z, net.constant(reads), net.constant(floats({10, 20}))}, attributes)};
  infer_shapes(net.graph);
  return result;
}

// c = max(0, 5 - 3 * 1) = 2 and max(0, 1 - 3 * 0.5) = 0.
TEST(AbsorbBias, ByHand) {
  Pair net = pair("Relu");
  const Absorption result = absorb_bias(net.graph(), {{net.made, {{5, 1}, {1, 0.5f}}}});
  EXPECT_EQ(result.channels, 1);
  EXPECT_EQ(result.largest, 2);
  const std::vector<Node>& nodes = result.graph.nodes();
  EXPECT_EQ(content(result.graph, nodes[0].inputs[2]), (std::vector<float>{3, 1}));
  EXPECT_EQ(content(result.graph, nodes[2].inputs[2]), (std::vector<float>{14, 20}));
  EXPECT_EQ(result.norms.at(net.made).mean, (std::vector<float>{3, 1}));
  EXPECT_EQ(result.norms.at(net.made).deviation, (std::vector<float>{1, 0.5f}));
}

TEST(AbsorbBias, LeavesChannelsThatReachTheUpperBound) {
  Pair net = pair("Clip");
  EXPECT_EQ(absorb_bias(net.graph(), {{net.made, {{5, 1}, {1, 0.5f}}}}).channels, 0) << "5 + 3 > 6";
  EXPECT_EQ(absorb_bias(net.graph(), {{net.made, {{4, 1}, {0.5f, 0.5f}}}}).channels, 1) << "4 + 1.5 <= 6";
}

TEST(AbsorbBias, LeavesReadersThatPad) {
  Pair net = pair("Relu", {{"pads", test::list({1, 1, 1, 1})}});
  const Absorption result = absorb_bias(net.graph(), {{net.made, {{5, 1}, {1, 0.5f}}}});
  EXPECT_EQ(result.channels, 0);
  EXPECT_EQ(result.norms.at(net.made).mean[0], 5);
}

TEST(AbsorbBias, LeavesWhatOthersSee) {
  Pair net = pair("Relu");
  const NormStatistics norms = {{net.made, {{5, 1}, {1, 0.5f}}}};
  EXPECT_EQ(absorb_bias(net.graph(), {}).channels, 0) << "nothing is known";
  Pair seen = pair("Relu");
  seen.graph().outputs().push_back(seen.graph().nodes()[1].outputs[0]);
  EXPECT_EQ(absorb_bias(seen.graph(), norms).channels, 0) << "the caller sees the activation";
  Pair before = pair("Relu");
  before.graph().outputs().push_back(before.graph().nodes()[0].outputs[0]);
  EXPECT_EQ(absorb_bias(before.graph(), norms).channels, 0) << "the caller sees what is in front of it";
}

}  // namespace
}  // namespace halftone::transform::absorb_bias_test
