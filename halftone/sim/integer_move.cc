// Elements that are moved, or picked by comparison: each is requantized first, which keeps the order of elements, and
// the operator's own function runs on the codes held as float, which is exact for 16 bits.
#include <algorithm>

#include "halftone/sim/integer_forms.h"

namespace halftone::sim {
namespace {

// The codes of x on the grid of `output`.
Tensor requantized(const Tensor& x, const IntegerOutput& output, float multiplier) {
  const std::span<const int32_t> from = x.data<int32_t>();
  Tensor codes(DType::Float, x.shape());
  const std::span<float> to = codes.mutable_data<float>();
  for (size_t i = 0; i < to.size(); ++i) to[i] = static_cast<float>(output.requantize(from[i], multiplier));
  return codes;
}

// What the operator made of them. A window of MaxPool that lies in the padding holds minus infinity, the lowest code.
Tensor integers(const Tensor& moved, const IntegerOutput& output) {
  const std::span<const float> from = moved.data<float>();
  Tensor codes(DType::Int32, moved.shape());
  const std::span<int32_t> to = codes.mutable_data<int32_t>();
  for (size_t i = 0; i < to.size(); ++i) {
    to[i] = static_cast<int32_t>(std::max(from[i], static_cast<float>(output.low)));
  }
  return codes;
}

}  // namespace

std::vector<Tensor> integer_move(const IntegerCall& c) {
  const Tensor padding = Tensor::scalar(static_cast<float>(c.plan.pad_code));
  OpCall call = c.call;
  Node node = c.call.node;
  if (node.is("Pad")) {
    call.inputs.resize(std::max<size_t>(call.inputs.size(), 3));
    call.inputs[2] = &padding;
    node.set_attribute("value", static_cast<float>(c.plan.pad_code));
  }
  std::vector<Tensor> results;
  for (size_t i = 0; i < c.plan.outputs.size(); ++i) {
    const Tensor codes = requantized(c.operands[0], c.plan.outputs[i], c.plan.outputs[i].multipliers[0]);
    call.inputs[0] = &codes;
    results.push_back(integers(sim::compute({call.graph, node, call.opset, call.inputs})[i], c.plan.outputs[i]));
  }
  return results;
}

std::vector<Tensor> integer_concatenation(const IntegerCall& c) {
  std::vector<Tensor> parts;
  for (size_t i = 0; i < c.operands.size(); ++i) {
    parts.push_back(requantized(c.operands[i], c.output(), c.output().multipliers[i]));
  }
  OpCall call{c.call.graph, c.call.node, c.call.opset, {}};
  for (const Tensor& part : parts) call.inputs.push_back(&part);
  return {integers(sim::compute(call)[0], c.output())};
}

}  // namespace halftone::sim
