// Graphs of a few nodes, built by hand in tests.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "halftone/graph/op_table.h"
#include "tests/support/contains.h"

namespace halftone::test {

// Hundreds of calls per file build lists of the types below; code that is not inlined keeps the compiler quick.

// An attribute of a node under test.
struct NamedAttribute {
  [[gnu::noinline]] NamedAttribute(std::string_view n, AttributeValue v) : name(n), value(std::move(v)) {}
  [[gnu::noinline]] NamedAttribute(const NamedAttribute&) = default;
  [[gnu::noinline]] ~NamedAttribute() {}
  NamedAttribute& operator=(const NamedAttribute&) = default;
  std::string name;
  AttributeValue value;
};
using Attributes = std::vector<NamedAttribute>;

// What feeds an input of a node under test: a typed value, a constant, or nothing.
struct Operand {
  Operand() = default;
  [[gnu::noinline]] Operand(TensorType t) : type(std::move(t)) {}
  [[gnu::noinline]] Operand(Tensor t) : tensor(std::move(t)) {}
  [[gnu::noinline]] Operand(const Operand&) = default;
  [[gnu::noinline]] ~Operand() {}
  Operand& operator=(const Operand&) = default;
  std::optional<TensorType> type;
  std::optional<Tensor> tensor;
};
inline const Operand kLeftOut;

// One dimension as tests write it: a number, a symbol, or "?" for an unknown one.
struct WrittenDim {
  WrittenDim(int n) : number(n) {}
  WrittenDim(const char* s) : symbol(s) {}
  int number = -1;
  const char* symbol = nullptr;
};

// typed({"N", 3, "?"})
[[gnu::noinline]] inline TensorType typed(std::initializer_list<WrittenDim> list, DType dtype = DType::Float) {
  std::vector<Dim> dims;
  for (const WrittenDim& dim : list) {
    if (dim.symbol == nullptr) {
      dims.emplace_back(dim.number);
    } else {
      dims.push_back(*dim.symbol == '?' ? Dim{} : Dim(std::string(dim.symbol)));
    }
  }
  return {dtype, std::move(dims)};
}
[[gnu::noinline]] inline Tensor ints(const std::vector<int64_t>& list) {
  return Tensor::from<int64_t>({static_cast<int64_t>(list.size())}, list);
}
[[gnu::noinline]] inline Tensor floats(const std::vector<float>& list) {
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
    for (const NamedAttribute& attribute : attributes) node.set_attribute(attribute.name, attribute.value);
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
[[gnu::noinline]] inline std::string infer(const std::string& op, const std::vector<Operand>& operands,
                                           const Attributes& attributes = {}, int64_t opset = 13, size_t outputs = 1) {
  TestGraph net(opset);
  std::vector<ValueId> inputs;
  for (size_t i = 0; i < operands.size(); ++i) {
    if (operands[i].type) {
      inputs.push_back(net.input(fmt::format("x{}", i), *operands[i].type));
    } else if (operands[i].tensor) {
      inputs.push_back(net.constant(*operands[i].tensor));
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

[[gnu::noinline]] inline AttributeValue list(std::vector<int64_t> numbers) { return numbers; }
[[gnu::noinline]] inline AttributeValue number(int64_t n) { return n; }
[[gnu::noinline]] inline AttributeValue word(const std::string& text) { return text; }

}  // namespace halftone::test
