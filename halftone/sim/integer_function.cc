// Functions of one operand in codes.
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

std::vector<int32_t> function_of_codes(const IntegerNode& plan, const OpCall& call, std::span<const int32_t> codes) {
  const size_t operand = operand_of(plan);
  const Grid& from = *plan.inputs[operand];
  std::vector<float> reals;
  for (int32_t code : codes) reals.push_back(dequantize(code, from.scale, from.zero_point));
  const Tensor x = Tensor::from({static_cast<int64_t>(reals.size())}, reals);
  // Constants as scalars, so that they take the shape of x, whatever the node's operand has for one.
  OpCall elements{call.graph, call.node, call.opset, call.inputs};
  std::vector<Tensor> constants(call.inputs.size());
  for (size_t i = 0; i < constants.size(); ++i) {
    if (i == operand || !call.has_input(i)) continue;
    constants[i] = call.input(i).reshaped({});
    elements.inputs[i] = &constants[i];
  }
  elements.inputs[operand] = &x;
  const Tensor results = sim::compute(elements)[0];
  const IntegerOutput& output = plan.outputs[0];
  const Grid& to = *output.grid;
  std::vector<int32_t> result_codes;
  for (float real : results.data<float>()) {
    const int32_t code = quantize(real, to.scale, to.zero_point, to.low, to.high);
    result_codes.push_back(std::clamp(code, output.low, output.high));
  }
  return result_codes;
}

std::vector<Tensor> integer_function(const IntegerCall& c) {
  const size_t operand = operand_of(c.plan);
  Tensor codes = c.operands[operand];
  for (int32_t& code : codes.mutable_data<int32_t>()) code += c.plan.inputs[operand]->zero_point;
  return {Tensor::from(codes.shape(), function_of_codes(c.plan, c.call, codes.data<int32_t>()))};
}

}  // namespace halftone::sim
