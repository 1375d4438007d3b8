#include "halftone/runtime/codes.h"
#include "halftone/runtime/lowering.h"
#include "halftone/runtime/reorder.h"
#include "halftone/sim/integer.h"

namespace halftone::runtime {

std::string lower_integer_reference(Lowering& lowering) {
  const Node& node = lowering.node();
  const auto plan = std::make_shared<const IntegerNode>(lowering.integers());
  std::vector<std::optional<Place>> inputs, outputs;
  std::vector<Operand> touched;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    inputs.emplace_back();
    const ValueId id = node.inputs[i];
    if (id == ValueId::None || !plan->reads(i)) continue;
    inputs.back() = plan->inputs[i] ? lowering.codes(id, Layout::Plain) : lowering.plain(id);
    touched.push_back(inputs.back()->where);
  }
  for (const IntegerOutput& output : plan->outputs) {
    const std::optional<Shape> shape = lowering.type(output.value).fixed_shape();
    if (!shape) fail(ErrorCode::Unsupported, describe(lowering.graph(), node), "its result's shape is unknown");
    outputs.push_back(output.grid ? lowering.allocate_codes(*shape, *output.grid, Layout::Plain)
                                  : lowering.allocate(DType::Float, *shape, Layout::Plain));
    touched.push_back(outputs.back()->where);
  }
  Step step{describe(lowering.graph(), node), 1, nullptr};
  step.bind = [graph = &lowering.graph(), node = &node, plan, weights = sim::integer_weights(*plan), inputs,
               outputs](RunMemory& memory) -> Step::Work {
    return [graph, node, plan, weights, inputs, outputs, &memory](int) {
      std::vector<Tensor> operands;
      operands.reserve(inputs.size());
      sim::OpCall call{*graph, *node, graph->opset(), {}};
      for (const std::optional<Place>& input : inputs) {
        if (input) operands.push_back(input->grid ? codes_at(memory, *input) : tensor_at(memory, *input));
        call.inputs.push_back(input ? &operands.back() : nullptr);
      }
      const std::vector<Tensor> results = sim::compute_integers(*plan, weights, call);
      for (size_t i = 0; i < outputs.size(); ++i) {
        if (outputs[i]->grid) {
          store_codes(results[i], memory, *outputs[i]);
        } else {
          store(results[i], memory, *outputs[i]);
        }
      }
    };
  };
  lowering.add_step(std::move(step), touched);
  if (const int activation = lowering.absorbed_activation(); activation >= 0) lowering.absorb(activation);
  for (size_t i = 0; i < outputs.size(); ++i) lowering.define(plan->outputs[i].value, *outputs[i]);
  return "";
}

}  // namespace halftone::runtime
