#include "halftone/sim/interpreter.h"

#include <gtest/gtest.h>

#include <thread>

namespace halftone::sim::interpreter_test {
namespace {

TensorType type(DType dtype, std::vector<Dim> dims) { return {dtype, std::move(dims)}; }

void add_node(Graph& graph, const char* op, std::vector<ValueId> inputs, std::vector<ValueId> outputs) {
  Node node;
  node.op_type = op;
  node.inputs = std::move(inputs);
  node.outputs = std::move(outputs);
  graph.nodes().push_back(std::move(node));
}

// y = exp(x + b) for x of [N, 2].
Graph small_network() {
  Graph graph;
  const ValueId x = graph.add_value("x", type(DType::Float, {Dim("N"), 2}));
  const ValueId b = graph.add_constant("b", Tensor::from({2}, std::vector<float>{0.0f, 1.0f}));
  const ValueId sum = graph.add_value("sum"), y = graph.add_value("y");
  graph.inputs() = {x};
  graph.outputs() = {y};
  add_node(graph, "Add", {x, b}, {sum});
  add_node(graph, "Exp", {sum}, {y});
  return graph;
}

Tensor two_rows() { return Tensor::from({2, 2}, std::vector<float>{0.0f, -1.0f, 1.0f, 2.0f}); }

// The message of the Error that running must throw.
std::string refusal(const Graph& graph, const TensorMap& inputs, ErrorCode code) {
  try {
    Interpreter(graph).run(inputs);
  } catch (const Error& error) {
    EXPECT_EQ(name_of(error.code()), name_of(code)) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "not refused";
  return "";
}

TEST(Interpreter, RunsNodeByNode) {
  const TensorMap outputs = Interpreter(small_network()).run({{"x", two_rows()}});
  ASSERT_EQ(outputs.size(), 1u);
  const std::vector<float> y = to_vector<float>(outputs.at("y"));
  const std::vector<float> expected = {1.0f, 1.0f, 2.7182817f, 20.085537f};
  EXPECT_EQ(outputs.at("y").shape(), (Shape{2, 2}));
  for (size_t i = 0; i < 4; ++i) EXPECT_FLOAT_EQ(y[i], expected[i]);
}

TEST(Interpreter, RefusesInputsThatDontFit) {
  const Graph graph = small_network();
  const auto argument = ErrorCode::InvalidArgument;
  EXPECT_EQ(refusal(graph, {}, argument), "input 'x': a value of type float[N, 2] is required, none was given");
  EXPECT_EQ(refusal(graph, {{"x", convert(two_rows(), DType::Double)}}, argument),
            "input 'x': requires float[N, 2], found double[2, 2]");
  EXPECT_EQ(refusal(graph, {{"x", Tensor(DType::Float, {2, 3})}}, argument),
            "input 'x': requires float[N, 2], found float[2, 3]");
  EXPECT_EQ(refusal(graph, {{"x", Tensor(DType::Float, {2})}}, argument),
            "input 'x': requires float[N, 2], found float[2]");
  EXPECT_EQ(refusal(graph, {{"x", two_rows()}, {"xx", two_rows()}}, argument),
            "input 'xx': the network has no such input; did you mean 'x'?");
}

TEST(Interpreter, InputsWithAConstantHaveADefault) {
  Graph graph = small_network();
  graph.inputs().push_back(graph.find("b"));
  EXPECT_FLOAT_EQ(to_vector<float>(Interpreter(graph).run({{"x", two_rows()}}).at("y"))[1], 1.0f);
  const TensorMap given = {{"x", two_rows()}, {"b", Tensor(DType::Float, {2})}};
  EXPECT_FLOAT_EQ(to_vector<float>(Interpreter(graph).run(given).at("y"))[1], 0.36787945f);
}

TEST(Interpreter, NamesTheNodeItCantCompute) {
  Graph graph = small_network();
  graph.nodes()[1].op_type = "Explode";
  EXPECT_EQ(refusal(graph, {{"x", two_rows()}}, ErrorCode::Unsupported),
            "Explode making 'y': the reference interpreter has no operator Explode of domain ai.onnx");
  graph = small_network();
  graph.nodes()[0].inputs[1] = graph.add_value("nowhere");
  EXPECT_EQ(refusal(graph, {{"x", two_rows()}}, ErrorCode::InvalidModel),
            "Add making 'sum': operand 'nowhere' has no content: nothing makes it before this node");
  graph = small_network();
  graph.value(graph.find("b")).constant = Tensor(DType::Float, {3});
  EXPECT_EQ(refusal(graph, {{"x", two_rows()}}, ErrorCode::InvalidModel),
            "Add making 'sum': broadcast: dimensions must be equal or 1, found [2, 2] and [3]");
}

TEST(Interpreter, OutputsMayBeInputsConstantsAndTheSameValueTwice) {
  Graph graph = small_network();
  graph.outputs() = {graph.find("x"), graph.find("b"), graph.find("y"), graph.find("y")};
  const TensorMap outputs = Interpreter(graph).run({{"x", two_rows()}});
  EXPECT_EQ(outputs.size(), 3u);
  EXPECT_TRUE(outputs.at("x").same_as(two_rows()));
}

TEST(Interpreter, ObserversSeeEachValueOnceInOrder) {
  std::vector<std::string> seen;
  Interpreter(small_network())
      .run({{"x", two_rows()}}, [&](std::string_view name, const Tensor& real, const Tensor* codes) {
        EXPECT_EQ(real.shape(), (Shape{2, 2}));
        EXPECT_EQ(codes, nullptr);
        seen.emplace_back(name);
      });
  EXPECT_EQ(seen, (std::vector<std::string>{"x", "sum", "y"}));
}

// Exp has no integer form: its operand is dequantized, its result rounded to its grid.
TEST(Interpreter, FloatNodesSeeAndGiveRoundedValues) {
  QuantizedModel model{small_network(), {}, {}};
  model.encodings["x"].params = {DType::UInt8, 0, 255, {0.5f}, {128}};
  model.encodings["y"].params = {DType::UInt8, 0, 255, {0.25f}, {0}};
  const Tensor x = Tensor::from({1, 2}, std::vector<float>{0.3f, -0.9f});  // 0.5 and -1 on the grid
  std::vector<int64_t> codes_of_y;
  const TensorMap outputs =
      Interpreter(model).run({{"x", x}}, [&](std::string_view name, const Tensor& real, const Tensor* codes) {
        if (name == "x") {
          EXPECT_EQ(to_vector<float>(real), (std::vector<float>{0.5f, -1.0f}));
        }
        if (name == "y") codes_of_y = to_vector<int64_t>(*codes);
      });
  // exp(0.5) = 1.6487 and exp(-1 + 1) = 1, in steps of 0.25.
  EXPECT_EQ(codes_of_y, (std::vector<int64_t>{7, 4}));
  EXPECT_EQ(to_vector<float>(outputs.at("y")), (std::vector<float>{1.75f, 1.0f}));
}

TEST(Interpreter, SeveralThreadsMayRunIt) {
  const Interpreter interpreter(small_network());
  const Tensor expected = interpreter.run({{"x", two_rows()}}).at("y");
  std::vector<std::thread> threads;
  std::vector<int> differing(4, 0);
  for (int& count : differing) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) count += !interpreter.run({{"x", two_rows()}}).at("y").same_as(expected);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(differing, std::vector<int>(4, 0));
}

}  // namespace
}  // namespace halftone::sim::interpreter_test
