#include <algorithm>
#include <array>

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
  const Place from = lowering.codes(operand, natural_layout(lowering, operand));
  const Grid &source = *from.grid, &target = *plan.outputs[0].grid;
  // Bytes that are no codes of the grid never come.
  std::array<int32_t, 256> codes;
  for (int32_t stored = 0; stored < 256; ++stored) {
    codes[static_cast<size_t>(stored)] =
        std::clamp(stored - kernels::stored_offset(source.dtype), source.low, source.high);
  }
  const std::vector<int32_t> results = sim::function_of_codes(plan, call, codes);
  const int32_t offset = kernels::stored_offset(target.dtype);
  const kernels::Table table =
      kernels::make_table([&](int32_t stored) { return results[static_cast<size_t>(stored)] + offset; });
  define_result(lowering, add_table(lowering, from, target, table));
  return "";
}

}  // namespace halftone::runtime
