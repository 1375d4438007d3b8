// What ONNX files declare about values, set aside so that inference can be held against it.
#pragma once

#include <algorithm>

#include "halftone/graph/op_table.h"

namespace halftone::test {

inline bool all_in_table(const Graph& graph) {
  return std::all_of(graph.nodes().begin(), graph.nodes().end(), [](const Node& n) { return find_op(n) != nullptr; });
}

// Inputs that aren't tensors have no type that the graph could read.
inline bool all_tensors(const Graph& graph) {
  const auto is_tensor = [&](ValueId id) { return graph.value(id).type.dtype != DType::Undefined; };
  return std::all_of(graph.inputs().begin(), graph.inputs().end(), is_tensor) &&
         std::all_of(graph.outputs().begin(), graph.outputs().end(), is_tensor);
}

// Forgets what the file says about everything that nodes compute.
inline void forget_declarations(Graph& graph) {
  for (const Node& node : graph.nodes()) {
    for (ValueId id : node.outputs) {
      if (id == ValueId::None) continue;
      graph.value(id).type = {};
      graph.value(id).declared = false;
    }
  }
}

}  // namespace halftone::test
