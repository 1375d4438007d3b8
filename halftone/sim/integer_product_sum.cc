// Convolutions and matrix products: the operators' own loops over int32, then one multiplication per element.
#include "halftone/sim/integer_forms.h"

namespace halftone::sim {
namespace {

// The node computed on int32 tensors. It has the float network's attributes, so geometry is decided in one place.
Tensor accumulate(const IntegerCall& c) {
  Tensor bias;
  OpCall call{c.call.graph, c.call.node, c.call.opset, {&c.operands[0]}};
  call.inputs.push_back(c.weights.defined() ? &c.weights : &c.operands[1]);
  if (!c.plan.bias.empty()) {
    bias = Tensor::from({static_cast<int64_t>(c.plan.bias.size())}, c.plan.bias);
    call.inputs.push_back(&bias);
  }
  return std::move(sim::compute(call)[0]);
}

}  // namespace

std::vector<Tensor> integer_product_sum(const IntegerCall& c) {
  const Tensor sums = accumulate(c);
  const std::span<const int32_t> acc = sums.data<int32_t>();
  const IntegerOutput& output = c.output();
  // Convolutions have their channels on axis 1, matrix products on the last.
  const bool matrix = c.plan.form == IntegerForm::MatrixProduct;
  const size_t channels = output.multipliers.size();
  const size_t run = matrix ? 1 : static_cast<size_t>(contiguous_strides(sums.shape())[1]);
  const auto for_each = [&](const auto& f) {
    for (size_t begin = 0, channel = 0; begin < acc.size(); begin += run, channel = (channel + 1) % channels) {
      const float multiplier = output.multipliers[channel];
      for (size_t i = begin; i < begin + run; ++i) f(i, multiplier);
    }
  };
  if (!output.grid) {
    Tensor real(DType::Float, sums.shape());
    float* to = real.mutable_data<float>().data();
    for_each([&](size_t i, float multiplier) { to[i] = static_cast<float>(acc[i]) * multiplier; });
    return {real};
  }
  Tensor codes(DType::Int32, sums.shape());
  int32_t* to = codes.mutable_data<int32_t>().data();
  for_each([&](size_t i, float multiplier) { to[i] = output.requantize(acc[i], multiplier); });
  return {codes};
}

}  // namespace halftone::sim
