// The room `sim`: the reference interpreter, plain C++, the normative meaning of a network. It sees quant.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halftone/graph/graph.h"
#include "halftone/quant/encodings.h"
#include "halftone/quant/requantize.h"
#include "halftone/tensor/tensor_map.h"

namespace halftone::sim {

// One node, ready to be computed.
struct OpCall {
  const Graph& graph;
  const Node& node;
  int64_t opset;
  std::vector<const Tensor*> inputs;  // nullptr for an input left out

  size_t input_count() const { return inputs.size(); }
  bool has_input(size_t i) const { return i < inputs.size() && inputs[i] != nullptr; }
  // Errors: Error{InvalidModel} when it is left out.
  const Tensor& input(size_t i) const;
  template <typename... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorCode::InvalidModel, describe(graph, node), format, std::forward<Args>(args)...);
  }
};

// Computes a node's outputs (those that the node names; an output left out may stay undefined).
using OpFunction = std::vector<Tensor> (*)(const OpCall&);

// The function of an ONNX operator, or nullptr.
OpFunction find_function(const Node& node);

// Computes one node in float (or whatever its operands are). Errors: Error{Unsupported} naming the node when the
// operator has no function.
std::vector<Tensor> compute(const OpCall& call);

class IntegerNodes;

// Runs a network node by node. Values with encodings are held as integer codes; the nodes that the integer plan
// (quant/integer_plan.h) claims are computed in integers by the arithmetic of docs/quantization.md, all others in float
// on dequantized values. A value is freed after its last use.
//
// Errors: Error{InvalidArgument} for missing inputs or wrong types, Error{Unsupported} for an operator it lacks.
// Determinism: bit-exact, whatever the number of threads.
class Interpreter {
 public:
  // Errors: Error{InvalidModel} where the encodings contradict the graph.
  explicit Interpreter(QuantizedModel model, RequantizeMode mode = RequantizeMode::Float);
  explicit Interpreter(Graph graph) : Interpreter(QuantizedModel{std::move(graph), {}, {}}) {}

  // Called for every value as it is computed: its name, its real (dequantized) content, and its codes or nullptr. A
  // value that only an absorbed activation reads is never computed by itself.
  using Observer = std::function<void(std::string_view name, const Tensor& real, const Tensor* codes)>;

  // Inputs by name; returns the graph outputs by name. May be called from several threads at once; `observer` belongs
  // to this run alone.
  TensorMap run(const TensorMap& inputs, const Observer& observer = {}) const;

  const QuantizedModel& model() const { return model_; }

 private:
  QuantizedModel model_;
  std::shared_ptr<const IntegerNodes> integers_;  // nullptr for a model without encodings
};

}  // namespace halftone::sim
