#include "halftone/runtime/lowering.h"
#include "halftone/runtime/reorder.h"
#include "halftone/sim/interpreter.h"

namespace halftone::runtime {

std::string lower_reference(Lowering& lowering) {
  const Node& node = lowering.node();
  if (sim::find_function(node) == nullptr) return "the interpreter has no function for the operator";
  std::vector<std::optional<Place>> inputs;
  std::vector<Operand> touched;
  for (ValueId id : node.inputs) {
    inputs.push_back(id == ValueId::None ? std::nullopt : std::optional(lowering.plain(id)));
    if (inputs.back()) touched.push_back(inputs.back()->where);
  }
  std::vector<std::optional<Place>> outputs;
  for (ValueId id : node.outputs) {
    outputs.emplace_back();
    if (id == ValueId::None) continue;
    const TensorType& type = lowering.type(id);
    const std::optional<Shape> shape = type.fixed_shape();
    const bool fixed = shape && type.dtype != DType::String && type.dtype != DType::Undefined;
    // A value whose type nobody knows is taken for a float one when somebody asks.
    outputs.back() = fixed ? lowering.allocate(type.dtype, *shape, Layout::Plain)
                           : lowering.allocate_slot(type.dtype == DType::Undefined ? DType::Float : type.dtype);
    touched.push_back(outputs.back()->where);
  }
  Step step{describe(lowering.graph(), node), 1, nullptr};
  step.bind = [graph = &lowering.graph(), node = &node, inputs, outputs](RunMemory& memory) -> Step::Work {
    return [graph, node, inputs, outputs, &memory](int) {
      std::vector<Tensor> operands;
      operands.reserve(inputs.size());
      sim::OpCall call{*graph, *node, graph->opset(), {}};
      for (const std::optional<Place>& input : inputs) {
        if (input) operands.push_back(tensor_at(memory, *input));
        call.inputs.push_back(input ? &operands.back() : nullptr);
      }
      const std::vector<Tensor> results = sim::compute(call);
      for (size_t i = 0; i < outputs.size() && i < results.size(); ++i) {
        if (outputs[i] && results[i].defined()) store(results[i], memory, *outputs[i]);
      }
    };
  };
  lowering.add_step(std::move(step), touched);
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (outputs[i]) lowering.define(node.outputs[i], *outputs[i]);
  }
  return "";
}

}  // namespace halftone::runtime
