#include <algorithm>

#include "halftone/runtime/integer_rules/code_steps.h"
#include "halftone/sim/integer.h"

namespace halftone::runtime {

std::string lower_integer_table(Lowering& lowering) {
  const IntegerNode& plan = lowering.integers();
  if (plan.form != IntegerForm::Function) return "no function of one operand";
  if (!all_narrow(plan)) return "codes of more than 8 bits";
  const Node& node = lowering.node();
  sim::OpCall call{lowering.graph(), node, lowering.graph().opset(), {}};
  ValueId operand = ValueId::None;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    call.inputs.push_back(lowering.constant(node.inputs[i]));
    if (plan.inputs[i]) operand = node.inputs[i];
  }
  const std::vector<int32_t> codes = sim::function_table(plan, call);
  const Place from = lowering.codes(operand, natural_layout(lowering, operand));
  const Grid &source = *from.grid, &target = *plan.outputs[0].grid;
  const int32_t from_offset = kernels::stored_offset(source.dtype), to_offset = kernels::stored_offset(target.dtype);
  // Bytes that are no codes of the grid never come.
  const kernels::Table table = kernels::make_table([&](int32_t stored) {
    const int32_t code = std::clamp(stored - from_offset, source.low, source.high);
    return codes[static_cast<size_t>(code - source.low)] + to_offset;
  });
  define_result(lowering, add_table(lowering, from, target, table));
  return "";
}

}  // namespace halftone::runtime
