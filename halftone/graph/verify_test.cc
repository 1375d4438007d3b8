#include <gtest/gtest.h>

#include "tests/support/test_graph.h"

namespace halftone::verify_test {
namespace {

using namespace test;

std::string refusal(const Graph& graph) {
  try {
    verify(graph);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::InvalidModel);
    return e.what();
  }
  return "accepted";
}

// x -> Relu -> Relu -> output, to be damaged.
struct Chain : TestGraph {
  ValueId x = input("x", typed({"N", 3}));
  ValueId a = (*this)("Relu", {x});
  ValueId b = (*this)("Relu", {a});
  Chain() { graph.outputs() = {b}; }
};

TEST(Verify, AcceptsAValidGraphAndLeavesItAlone) {
  const Chain chain;
  EXPECT_EQ(refusal(chain.graph), "accepted");
  EXPECT_EQ(chain.type(chain.b), "unknown[...]");
}

TEST(Verify, NamesWhatIsReadButNotProvided) {
  Chain chain;
  const ValueId ghost = chain.graph.add_value("ghost");
  chain.graph.nodes()[1].inputs = {ghost};
  EXPECT_EQ(refusal(chain.graph), "Relu 'n1': reads 'ghost', which no node, input or initializer provides");
  chain.graph.nodes()[1].inputs = {chain.a};
  chain.graph.nodes()[1].captures = {ghost};
  EXPECT_CONTAINS(refusal(chain.graph), "reads 'ghost'");
}

TEST(Verify, NamesNodesOutOfOrderAndCycles) {
  Chain chain;
  std::swap(chain.graph.nodes()[0], chain.graph.nodes()[1]);
  EXPECT_CONTAINS(refusal(chain.graph), "Relu 'n1': nodes must stand after what they read, but 'n0_out'");
  Chain cycle;
  cycle.graph.nodes()[0].inputs = {cycle.b};
  EXPECT_CONTAINS(refusal(cycle.graph), "Relu 'n0': nodes must stand after what they read, but 'n1_out'");
}

TEST(Verify, RefusesTwoOriginsOfOneValue) {
  Chain chain;
  chain.graph.nodes()[1].outputs = {chain.a};
  EXPECT_CONTAINS(refusal(chain.graph), "a value must have one origin, but 'n0_out'");
  Chain input;
  input.graph.nodes()[1].outputs = {input.x};
  EXPECT_CONTAINS(refusal(input.graph), "a value must have one origin, but 'x'");
}

TEST(Verify, ChecksTheInterface) {
  Chain chain;
  chain.graph.outputs().push_back(chain.graph.add_value("nowhere"));
  EXPECT_EQ(refusal(chain.graph),
            "output 'nowhere': must be computed by a node, be an input or be an initializer, found none of them");
  Chain twice;
  twice.graph.inputs().push_back(twice.x);
  EXPECT_EQ(refusal(twice.graph), "input 'x': must be listed once");
}

TEST(Verify, CountsOperands) {
  Chain chain;
  chain.graph.nodes()[0].inputs = {chain.x, chain.x};
  EXPECT_EQ(refusal(chain.graph), "Relu 'n0': Relu requires 1 inputs, found 2");
  chain.graph.nodes()[0].inputs = {ValueId::None};
  EXPECT_EQ(refusal(chain.graph), "Relu 'n0': Relu requires its input 0, which is left out");
  chain.graph.nodes()[0].op_type = "Conv";
  EXPECT_EQ(refusal(chain.graph), "Conv 'n0': Conv requires 2 to 3 inputs, found 1");
  chain.graph.nodes()[0].op_type = "Concat";
  chain.graph.nodes()[0].inputs = {};
  EXPECT_EQ(refusal(chain.graph), "Concat 'n0': Concat requires at least 1 inputs, found 0");
}

TEST(Verify, ChecksOperatorSetsAndAttributes) {
  Chain chain;
  chain.graph.nodes()[0].domain = "com.example";
  EXPECT_CONTAINS(refusal(chain.graph), "must import the operator set 'com.example'");
  chain.graph.opset_imports["com.example"] = 1;
  EXPECT_EQ(refusal(chain.graph), "accepted") << "operators of other domains are only carried";
  chain.graph.nodes()[1].attributes = {{"alpha", 1.0f, {}}, {"alpha", 2.0f, {}}};
  EXPECT_CONTAINS(refusal(chain.graph), "attribute 'alpha' must be given once");
}

TEST(Verify, RefusesBroadcastingAlongAnAxisBeforeOpset7) {
  Chain chain;
  chain.graph.nodes()[1].op_type = "Add";
  chain.graph.nodes()[1].inputs = {chain.a, chain.x};
  chain.graph.nodes()[1].set_attribute("broadcast", int64_t{1});
  chain.graph.nodes()[1].set_attribute("axis", int64_t{0});
  chain.graph.opset_imports[""] = 6;
  try {
    verify(chain.graph);
    ADD_FAILURE() << "accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::Unsupported);
    EXPECT_CONTAINS(std::string(e.what()), "opset 6's; opset 7 or newer is required");
  }
  chain.graph.nodes()[1].inputs = {chain.x, chain.x};  // both of rank 2: axis 0 is where numpy lays it too
  EXPECT_EQ(refusal(chain.graph), "accepted");
}

TEST(Verify, HoldsConstantsAgainstTheirTypes) {
  Chain chain;
  const ValueId weight = chain.constant(floats({1, 2, 3}));
  chain.graph.value(weight).type = typed({4});
  EXPECT_EQ(refusal(chain.graph), "initializer: the model declares 'constant' as float[4], but it is float[3]");
  chain.graph.value(weight).type = typed({3}, DType::Int8);
  EXPECT_CONTAINS(refusal(chain.graph), "as int8[3], but it is float[3]");
}

TEST(Verify, RunsTheShapeRules) {
  Chain chain;
  chain.graph.value(chain.b).type = typed({"N", 4});
  chain.graph.value(chain.b).declared = true;
  EXPECT_CONTAINS(refusal(chain.graph), "Relu 'n1': the model declares 'n1_out' as float[N, 4]");
}

}  // namespace
}  // namespace halftone::verify_test
