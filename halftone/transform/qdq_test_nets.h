// What the tests of quantized files share: networks in names, inputs, and graphs of Q/DQ nodes built by hand.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "halftone/graph/op_table.h"
#include "halftone/sim/interpreter.h"
#include "halftone/tensor/packing.h"
#include "halftone/transform/fold_qdq.h"
#include "tests/support/quantized_net.h"

namespace halftone::test {

// The network in names: what a reader of the file would compare.
inline std::vector<std::string> structure(const Graph& graph) {
  std::vector<std::string> lines;
  const auto name = [&](ValueId id) { return id == ValueId::None ? std::string("-") : graph.value(id).name; };
  for (ValueId id : graph.inputs()) lines.push_back(fmt::format("input {}", name(id)));
  for (ValueId id : graph.outputs()) lines.push_back(fmt::format("output {}", name(id)));
  for (const Node& node : graph.nodes()) {
    std::string line = node.domain + node.op_type + " " + node.name + ":";
    for (ValueId id : node.inputs) line += fmt::format(" {}", name(id));
    line += " ->";
    for (ValueId id : node.outputs) line += fmt::format(" {}", name(id));
    lines.push_back(line);
  }
  return lines;
}

inline int count_of(const Graph& graph, std::string_view op) {
  return static_cast<int>(
      std::count_if(graph.nodes().begin(), graph.nodes().end(), [&](const Node& node) { return node.op_type == op; }));
}

inline TensorMap random_inputs(Rng& rng, const Graph& graph) {
  TensorMap inputs;
  for (ValueId id : graph.inputs()) {
    const Shape shape = *graph.value(id).type.fixed_shape();
    inputs[graph.value(id).name] = Tensor::from(shape, random_floats(rng, element_count(shape), -3, 3));
  }
  return inputs;
}

inline TensorMap run(const QuantizedModel& model, const TensorMap& inputs) {
  return sim::Interpreter(model).run(inputs);
}

// Hand-built Q/DQ graphs, as other quantizers write them.
struct QdqBuilder : NetBuilder {
  int constants = 0;
  ValueId scalar(float value) { return constant(fmt::format("scale{}", constants++), {}, {value}); }
  ValueId zero(DType dtype, int32_t value) {
    return model.graph.add_constant(fmt::format("zero{}", constants++),
                                    pack_integers(dtype, {}, std::vector<int32_t>{value}));
  }
  ValueId quantize_node(ValueId x, float scale, int32_t zero_point, const std::string& name,
                        DType dtype = DType::UInt8) {
    return node("QuantizeLinear", {x, scalar(scale), zero(dtype, zero_point)}, name);
  }
  ValueId dequantize_node(ValueId q, float scale, int32_t zero_point, const std::string& name,
                          DType dtype = DType::UInt8) {
    return node("DequantizeLinear", {q, scalar(scale), zero(dtype, zero_point)}, name);
  }
  ValueId pair(ValueId x, float scale, int32_t zero_point, const std::string& name, DType dtype = DType::UInt8) {
    return dequantize_node(quantize_node(x, scale, zero_point, name + "_q", dtype), scale, zero_point, name + "_dq",
                           dtype);
  }
  // Folded, with the same function as before.
  QuantizedModel folded(double tolerance = 0) {
    const QuantizedModel result = fold_qdq(model.graph);
    EXPECT_NO_THROW(verify(result.graph));
    Rng rng(12);
    const TensorMap inputs = random_inputs(rng, model.graph);
    const TensorMap before = sim::Interpreter(model.graph).run(inputs), after = run(result, inputs);
    for (const auto& [name, tensor] : before) {
      const std::vector<float> a = to_vector<float>(tensor), b = to_vector<float>(after.at(name));
      for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], tolerance) << name;
    }
    return result;
  }
};

}  // namespace halftone::test
