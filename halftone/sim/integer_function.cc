// Functions of one operand in codes: a table with the function's result for each code.
#include <algorithm>

#include "halftone/sim/integer.h"
#include "halftone/sim/integer_forms.h"

namespace halftone::sim {
namespace {

size_t operand_of(const IntegerNode& plan) {
  const auto found =
      std::find_if(plan.inputs.begin(), plan.inputs.end(), [](const auto& grid) { return grid.has_value(); });
  HT_CHECK(found != plan.inputs.end(), "a function of nothing");
  return static_cast<size_t>(found - plan.inputs.begin());
}

}  // namespace

std::vector<int32_t> function_table(const IntegerNode& plan, const OpCall& call) {
  const size_t operand = operand_of(plan);
  const Grid& from = *plan.inputs[operand];
  std::vector<float> reals;
  for (int32_t code = from.low; code <= from.high; ++code) {
    reals.push_back(dequantize(code, from.scale, from.zero_point));
  }
  const Tensor all = Tensor::from({static_cast<int64_t>(reals.size())}, reals);
  OpCall of_all{call.graph, call.node, call.opset, call.inputs};
  std::vector<Tensor> constants(call.inputs.size());
  for (size_t i = 0; i < constants.size(); ++i) {
    if (i == operand || !call.has_input(i)) continue;
    constants[i] = call.input(i).reshaped({});
    of_all.inputs[i] = &constants[i];
  }
  of_all.inputs[operand] = &all;
  const Tensor results = sim::compute(of_all)[0];
  const IntegerOutput& output = plan.outputs[0];
  const Grid& to = *output.grid;
  std::vector<int32_t> table;
  for (float real : results.data<float>()) {
    const int32_t code = quantize(real, to.scale, to.zero_point, to.low, to.high);
    table.push_back(std::clamp(code, output.low, output.high));
  }
  return table;
}

std::vector<Tensor> integer_function(const IntegerCall& c) {
  const std::vector<int32_t> table = function_table(c.plan, c.call);
  const size_t operand = operand_of(c.plan);
  const Grid& from = *c.plan.inputs[operand];
  Tensor codes = c.operands[operand];
  for (int32_t& code : codes.mutable_data<int32_t>()) {
    code = table.at(static_cast<size_t>(code + from.zero_point - from.low));
  }
  return {codes};
}

}  // namespace halftone::sim
