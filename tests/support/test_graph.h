// Graphs of a few nodes, built by hand in tests.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "halftone/graph/op_table.h"

namespace halftone::test {

using Attributes = std::vector<std::pair<std::string, AttributeValue>>;

// What feeds an input of a node under test: a typed value, a constant, or nothing.
using Operand = std::variant<std::monostate, TensorType, Tensor>;
inline const Operand kLeftOut = std::monostate{};

inline std::vector<Dim> dims(const std::vector<std::variant<int, const char*>>& list) {
  std::vector<Dim> result;
  for (const auto& entry : list) {
    const int* number = std::get_if<int>(&entry);
    const char* symbol = number == nullptr ? std::get<const char*>(entry) : "";
    if (number != nullptr) {
      result.emplace_back(*number);
    } else {
      result.push_back(*symbol == '?' ? Dim{} : Dim(std::string(symbol)));
    }
  }
  return result;
}
// typed({"N", 3, "?"}): a symbol, a number, an unknown extent.
inline TensorType typed(const std::vector<std::variant<int, const char*>>& list, DType dtype = DType::Float) {
  return {dtype, dims(list)};
}
inline Tensor ints(const std::vector<int64_t>& list) {
  return Tensor::from<int64_t>({static_cast<int64_t>(list.size())}, list);
}
inline Tensor floats(const std::vector<float>& list) {
  return Tensor::from<float>({static_cast<int64_t>(list.size())}, list);
}

class TestGraph {
 public:
  Graph graph;

  explicit TestGraph(int64_t opset = 13) { graph.opset_imports = {{"", opset}}; }

  ValueId input(const std::string& name, TensorType type) {
    const ValueId id = graph.add_value(name, std::move(type));
    graph.value(id).declared = true;
    graph.inputs().push_back(id);
    return id;
  }

  std::vector<ValueId> node(const std::string& op, std::vector<ValueId> inputs, const Attributes& attributes = {},
                            size_t outputs = 1) {
    Node node;
    node.op_type = op;
    node.name = fmt::format("n{}", graph.nodes().size());
    node.inputs = std::move(inputs);
    for (size_t i = 0; i < outputs; ++i) node.outputs.push_back(graph.add_value(graph.fresh_name(node.name + "_out")));
    for (const auto& [name, value] : attributes) node.set_attribute(name, value);
    graph.nodes().push_back(node);
    return node.outputs;
  }
  ValueId operator()(const std::string& op, std::vector<ValueId> inputs, const Attributes& attributes = {}) {
    return node(op, std::move(inputs), attributes).front();
  }
  ValueId constant(Tensor tensor) { return graph.add_constant(graph.fresh_name("constant"), std::move(tensor)); }

  // The type of the value as text, after inference.
  std::string type(ValueId id) const { return to_string(graph.value(id).type); }
};

// The output types of one node, as text joined by "; ", or the message of its refusal.
inline std::string infer(const std::string& op, const std::vector<Operand>& operands, const Attributes& attributes = {},
                         int64_t opset = 13, size_t outputs = 1) {
  TestGraph net(opset);
  std::vector<ValueId> inputs;
  for (size_t i = 0; i < operands.size(); ++i) {
    if (const auto* type = std::get_if<TensorType>(&operands[i])) {
      inputs.push_back(net.input(fmt::format("x{}", i), *type));
    } else if (const auto* tensor = std::get_if<Tensor>(&operands[i])) {
      inputs.push_back(net.constant(*tensor));
    } else {
      inputs.push_back(ValueId::None);
    }
  }
  const std::vector<ValueId> results = net.node(op, inputs, attributes, outputs);
  try {
    infer_shapes(net.graph);
  } catch (const Error& e) {
    return e.what();
  }
  std::string text;
  for (ValueId id : results) text += (text.empty() ? "" : "; ") + net.type(id);
  return text;
}

inline AttributeValue list(std::vector<int64_t> numbers) { return numbers; }
inline AttributeValue number(int64_t n) { return n; }
inline AttributeValue word(const std::string& text) { return text; }

// EXPECT_CONTAINS(infer(...), "a fragment of the message")
inline ::testing::AssertionResult contains(const std::string& text, const std::string& fragment) {
  if (text.find(fragment) != std::string::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "'" << fragment << "' is not in: " << text;
}
#define EXPECT_CONTAINS(text, fragment) EXPECT_TRUE(::halftone::test::contains(text, fragment))

}  // namespace halftone::test
