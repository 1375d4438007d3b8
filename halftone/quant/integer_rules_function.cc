#include "halftone/quant/integer_rules.h"

namespace halftone::integer_rules {

bool plan_function(NodeContext& c) {
  c.plan.form = IntegerForm::Function;
  const std::vector<ValueId>& inputs = c.node().inputs;
  std::optional<size_t> operand;
  int64_t constant_rank = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] == ValueId::None) continue;
    const Tensor* constant = c.constant(i);
    if (constant == nullptr) {
      if (operand) return c.refuse("it is a function of two values");
      operand = i;
    } else if (constant->size() == 1) {
      constant_rank = std::max(constant_rank, constant->rank());
    } else {
      return c.refuse("its constant has {} elements, a function of one value has constants of one", constant->size());
    }
  }
  if (!operand) return c.refuse("all of its operands are constants");
  // A constant of more axes than the operand adds them to the result.
  if (constant_rank > 0 && constant_rank > c.rank(inputs[*operand])) {
    return c.refuse("its constant may have more axes than its operand");
  }
  return c.read_codes(*operand) && c.find_output();
}

}  // namespace halftone::integer_rules
