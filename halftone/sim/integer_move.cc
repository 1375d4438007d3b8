// Elements that are moved, or picked by comparison. The operator's own function runs on q - zero_point held as float,
// which is exact for codes of 16 bits; what it returns is requantized.
#include "halftone/sim/integer_forms.h"

namespace halftone::sim {
namespace {

Tensor requantized(const Tensor& moved, const IntegerOutput& output, float multiplier) {
  const std::span<const float> from = moved.data<float>();
  Tensor codes(DType::Int32, moved.shape());
  const std::span<int32_t> to = codes.mutable_data<int32_t>();
  for (size_t i = 0; i < to.size(); ++i) to[i] = output.to_code(from[i] * multiplier);
  return codes;
}

}  // namespace

std::vector<Tensor> integer_move(const IntegerCall& c) {
  const Tensor x = convert(c.operands[0], DType::Float);
  const Tensor padding = Tensor::scalar(c.plan.pad_steps);
  OpCall call = c.call;
  Node node = c.call.node;
  call.inputs[0] = &x;
  if (node.is("Pad")) {
    if (call.has_input(2)) call.inputs[2] = &padding;
    if (node.find_attribute("value") != nullptr) node.set_attribute("value", c.plan.pad_steps);
  }
  const OpCall on_steps{call.graph, node, call.opset, call.inputs};
  std::vector<Tensor> results = sim::compute(on_steps);
  for (size_t i = 0; i < c.plan.outputs.size(); ++i) {
    results[i] = requantized(results[i], c.plan.outputs[i], c.plan.outputs[i].multipliers[0]);
  }
  results.resize(c.plan.outputs.size());
  return results;
}

std::vector<Tensor> integer_concatenation(const IntegerCall& c) {
  std::vector<Tensor> parts;
  for (size_t i = 0; i < c.operands.size(); ++i) {
    parts.push_back(requantized(convert(c.operands[i], DType::Float), c.output(), c.output().multipliers[i]));
  }
  OpCall call{c.call.graph, c.call.node, c.call.opset, {}};
  for (const Tensor& part : parts) call.inputs.push_back(&part);
  return {std::move(sim::compute(call)[0])};
}

}  // namespace halftone::sim
