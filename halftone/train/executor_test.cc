#include "halftone/train/executor.h"

#include <gtest/gtest.h>

#include "halftone/sim/interpreter.h"
#include "halftone/train/test_tensors.h"

namespace halftone::train::executor_test {
namespace {

ValueId append(Graph& graph, const std::string& op, std::vector<ValueId> inputs, const std::string& result) {
  Node node;
  node.name = result;
  node.op_type = op;
  node.inputs = std::move(inputs);
  node.outputs = {graph.add_value(result)};
  graph.nodes().push_back(node);
  return node.outputs[0];
}

// x [n, 2, 5, 5] -> Conv, BatchNormalization, Relu, and a shape computed from x's own.
Graph small_net() {
  Graph graph;
  const ValueId x = graph.add_value("x", {DType::Float, to_dims({3, 2, 5, 5})});
  graph.inputs() = {x};
  const ValueId w = graph.add_constant("w", reals({4, 2, 3, 3}, 1)), b = graph.add_constant("b", reals({4}, 2));
  ValueId y = append(graph, "Conv", {x, w, b}, "conv");
  std::vector<ValueId> norm = {y};
  for (const char* name : {"gamma", "beta", "mean"}) norm.push_back(graph.add_constant(name, reals({4}, norm.size())));
  norm.push_back(graph.add_constant("var", Tensor::from<float>({4}, std::vector<float>{0.5f, 1, 2, 3})));
  y = append(graph, "BatchNormalization", norm, "norm");
  y = append(graph, "Relu", {y}, "relu");
  const ValueId shape = append(graph, "Shape", {x}, "shape");
  const ValueId first = graph.add_constant("first", Tensor::from<int64_t>({1}, std::vector<int64_t>{0}));
  const ValueId batch = append(graph, "Gather", {shape, first}, "batch");
  const ValueId rest = graph.add_constant("rest", Tensor::from<int64_t>({1}, std::vector<int64_t>{-1}));
  const ValueId wanted = append(graph, "Concat", {batch, rest}, "wanted");
  graph.nodes().back().set_attribute("axis", int64_t{0});
  y = append(graph, "Reshape", {y, wanted}, "y");
  graph.outputs() = {y};
  return graph;
}

double largest_difference(const Tensor& a, const Tensor& b) {
  const std::vector<double> x = to_vector<double>(a), y = to_vector<double>(b);
  double largest = a.shape() == b.shape() ? 0 : 1e30;
  for (size_t i = 0; i < std::min(x.size(), y.size()); ++i) largest = std::max(largest, std::abs(x[i] - y[i]));
  return largest;
}

TEST(Executor, ComputesWhatTheInterpreterDoes) {
  const Tensor x = reals({3, 2, 5, 5}, 9);
  const Executor executor(small_net());
  const auto found = executor.forward({to_torch(x)}, BatchStatistics::Frozen);
  ASSERT_EQ(found.size(), 1u);
  const Tensor expected = sim::Interpreter(small_net()).run({{"x", x}}).at("y");
  EXPECT_LT(largest_difference(from_torch(found[0]), expected), 1e-5);
}

TEST(Executor, GradientsReachEveryParameter) {
  Executor executor(small_net());
  for (const char* name : {"w", "gamma", "beta"}) executor.constants().at(name).set_requires_grad(true);
  const at::Tensor x = to_torch(reals({3, 2, 5, 5}, 9));
  (executor.forward({x}, BatchStatistics::Frozen)[0].pow(2)).sum().backward();
  for (const char* name : {"w", "gamma", "beta"}) {
    const at::Tensor gradient = executor.constants().at(name).grad();
    ASSERT_TRUE(gradient.defined()) << name;
    EXPECT_GT(gradient.abs().min().item<float>(), 0) << name;
  }
}

TEST(Executor, BatchStatisticsAreUpdatedOnlyWhenAsked) {
  Executor executor(small_net());
  const at::Tensor before = executor.constants().at("mean").clone();
  const at::Tensor x = to_torch(reals({3, 2, 5, 5}, 9));
  executor.forward({x}, BatchStatistics::Frozen);
  EXPECT_TRUE(executor.constants().at("mean").equal(before));
  const at::Tensor y = executor.forward({x}, BatchStatistics::Updated)[0];
  EXPECT_FALSE(executor.constants().at("mean").equal(before));
  EXPECT_NE(largest_difference(*executor.updated_graph().value(executor.graph().find("mean")).constant,
                               *small_net().value(small_net().find("mean")).constant),
            0);
}

// Doubles what the Relu hands on, halves the weights, and computes Identity in its own way.
class Doubling : public Intervention {
 public:
  explicit Doubling(const Graph& graph) : graph_(graph) {}
  at::Tensor constant(ValueId id, const at::Tensor& real) override {
    constants.push_back(graph_.value(id).name);
    return real;
  }
  at::Tensor result(ValueId id, const at::Tensor& real) override {
    return graph_.value(id).name == "relu" ? real * 2 : real;
  }
  std::vector<std::string> constants;

 private:
  const Graph& graph_;
};

TEST(Executor, InterventionsReplaceValues) {
  const Executor executor(small_net());
  const at::Tensor x = to_torch(reals({3, 2, 5, 5}, 9));
  Doubling doubling(executor.graph());
  const at::Tensor once = executor.forward({x}, BatchStatistics::Frozen)[0];
  const at::Tensor twice = executor.forward({x}, BatchStatistics::Frozen, &doubling)[0];
  EXPECT_TRUE(twice.equal(once * 2));
  EXPECT_EQ(doubling.constants, (std::vector<std::string>{"b", "beta", "gamma", "mean", "var", "w"}));
}

TEST(Executor, NamesTheNodeThatHasNoGradient) {
  Graph graph;
  const ValueId x = graph.add_value("x", {DType::Float, to_dims({4})});
  graph.inputs() = {x};
  const ValueId w = graph.add_constant("w", reals({4}, 1));
  ValueId y = append(graph, "Mul", {x, w}, "product");
  y = append(graph, "Round", {y}, "rounded");
  graph.outputs() = {y};
  Executor executor(graph);
  const at::Tensor input = to_torch(reals({4}, 2));
  EXPECT_NO_THROW(executor.forward({input}, BatchStatistics::Frozen));
  executor.constants().at("w").set_requires_grad(true);
  try {
    executor.forward({input}, BatchStatistics::Frozen);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unsupported);
    EXPECT_NE(std::string(error.what()).find("Round 'rounded'"), std::string::npos) << error.what();
  }
}

TEST(Executor, OperandsThatDontFitAreTheModelsFault) {
  Graph graph;
  const ValueId x = graph.add_value("x", {DType::Float, {}});
  graph.inputs() = {x};
  const ValueId w = graph.add_constant("w", reals({4, 2}, 1));
  graph.outputs() = {append(graph, "MatMul", {x, w}, "y")};
  const Executor executor(graph);
  try {
    executor.forward({to_torch(reals({3, 3}, 2))}, BatchStatistics::Frozen);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::InvalidModel);
    EXPECT_NE(std::string(error.what()).find("MatMul 'y'"), std::string::npos) << error.what();
  }
  EXPECT_THROW(executor.forward({}, BatchStatistics::Frozen), Error);
}

}  // namespace
}  // namespace halftone::train::executor_test
