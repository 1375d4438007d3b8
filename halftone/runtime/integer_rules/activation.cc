#include "halftone/runtime/integer_rules/code_steps.h"

namespace halftone::runtime {

std::string lower_integer_activation(Lowering& lowering) {
  const IntegerNode& plan = lowering.integers();
  if (plan.form != IntegerForm::Activation) return "no activation";
  if (!all_narrow(plan)) return "codes of more than 8 bits";
  const ValueId x = lowering.node().inputs[0];
  const IntegerOutput& output = plan.outputs[0];
  const kernels::Table table =
      kernels::activation_table(output.mode, kernels::stored_grid(*plan.inputs[0]).zero_point, output.multipliers[0],
                                output.multipliers[1], stored_bounds(output));
  define_result(lowering, add_table(lowering, lowering.codes(x, natural_layout(lowering, x)), *output.grid, table));
  return "";
}

}  // namespace halftone::runtime
