// What the operators' tests share: running one node on given operands.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "halftone/sim/interpreter.h"

namespace halftone::sim {

using Attributes = std::vector<std::pair<std::string, AttributeValue>>;

// A list of integers as an attribute or as an operand.
inline AttributeValue ints(std::vector<int64_t> values) { return values; }
inline Tensor vector_of(std::vector<int64_t> values) {
  return Tensor::from({static_cast<int64_t>(values.size())}, values);
}
inline Tensor floats(std::vector<float> values) { return Tensor::from({static_cast<int64_t>(values.size())}, values); }

// Computes a node with these operands (an undefined one is left out) and `outputs` outputs at an opset of ONNX.
inline std::vector<Tensor> run_node(const std::string& op, int64_t opset, const std::vector<Tensor>& operands,
                                    const Attributes& attributes = {}, size_t outputs = 1) {
  Graph graph;
  graph.opset_imports[""] = opset;
  Node node;
  node.name = "under_test";
  node.op_type = op;
  for (size_t i = 0; i < operands.size(); ++i) {
    node.inputs.push_back(operands[i].defined() ? graph.add_value(fmt::format("x{}", i)) : ValueId::None);
  }
  for (size_t i = 0; i < outputs; ++i) node.outputs.push_back(graph.add_value(fmt::format("y{}", i)));
  for (const auto& [name, value] : attributes) node.set_attribute(name, value);
  OpCall call{graph, node, opset, {}};
  for (const Tensor& operand : operands) call.inputs.push_back(operand.defined() ? &operand : nullptr);
  return compute(call);
}

// The first output's elements.
inline std::vector<double> values_of(const std::string& op, int64_t opset, const std::vector<Tensor>& operands,
                                     const Attributes& attributes = {}) {
  return to_vector<double>(run_node(op, opset, operands, attributes).at(0));
}

}  // namespace halftone::sim
