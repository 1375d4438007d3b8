// Products with activations whose grids are found in this run: the operator's own loops over int32, then one float32
// product of the scales and one with the sum.
#include "halftone/sim/dynamic_codes.h"
#include "halftone/sim/integer_forms.h"
#include "halftone/sim/ops/broadcast.h"
#include "halftone/sim/ops/element_writer.h"

namespace halftone::sim {
namespace {

// For each element of the result, the position of its row's grid.
std::vector<int64_t> grid_positions(const IntegerCall& c, const DynamicCodes& x, const Shape& result) {
  if (x.grids.size() == 1) return std::vector<int64_t>(static_cast<size_t>(element_count(result)), 0);
  Shape rows = x.steps.shape();
  rows.back() = 1;
  return ops::strided_indices(result, ops::broadcast_strides(c.call, rows, result));
}

}  // namespace

std::vector<Tensor> integer_dynamic_product(const IntegerCall& c) {
  const DynamicCodes x = quantize_dynamically(c.call, 0, *c.plan.dynamic);
  const bool weights = c.weights.defined();
  const DynamicCodes other = weights ? DynamicCodes{} : quantize_dynamically(c.call, 1, DynamicRange::PerTensor);
  const OpCall call{c.call.graph, c.call.node, c.call.opset, {&x.steps, weights ? &c.weights : &other.steps}};
  const Tensor sums = std::move(sim::compute(call)[0]);

  // Convolutions have their channels on axis 1, matrix products on the last.
  const size_t run = c.call.node.is("Conv") ? static_cast<size_t>(contiguous_strides(sums.shape())[1]) : 1;
  const std::vector<float>& factors = c.output().multipliers;
  const std::vector<float>& bias = c.plan.real_bias;
  const std::vector<int64_t> grids = grid_positions(c, x, sums.shape());
  const std::span<const int32_t> acc = sums.data<int32_t>();
  Tensor result(DType::Float, sums.shape());
  const std::span<float> to = result.mutable_data<float>();
  for (size_t i = 0; i < to.size(); ++i) {
    const size_t channel = i / run % factors.size();
    const float factor = weights ? factors[channel] : other.grids[0].scale;
    const float step = x.grids[static_cast<size_t>(grids[i])].scale * factor;
    to[i] = static_cast<float>(acc[i]) * step;
    if (!bias.empty()) to[i] += bias[channel];
  }
  return {result};
}

}  // namespace halftone::sim
