#include "halftone/sim/ops/typed_operands.h"

namespace halftone::sim::ops {

WidenedCall::WidenedCall(const OpCall& call, DType half) : half_(half), call_(call) {
  copies_.reserve(call.inputs.size());  // call_ points into it
  for (const Tensor*& input : call_.inputs) {
    if (input == nullptr || input->dtype() != half) continue;
    copies_.push_back(convert(*input, DType::Float));
    input = &copies_.back();
  }
}

std::vector<Tensor> WidenedCall::narrow(std::vector<Tensor> results) const {
  results.at(0) = convert(results.at(0), half_);
  return results;
}

Planes planes_of(const OpCall& call, const Tensor& x) {
  if (x.rank() < 2) call.refuse("requires an operand of shape [N, C, ...], found {}", to_string(x.shape()));
  return {x.dim(0), x.dim(1), element_count(Shape(x.shape().begin() + 2, x.shape().end()))};
}

AxisView view_along(const Shape& shape, int64_t axis) {
  const auto at = shape.begin() + axis;
  return {element_count(Shape(shape.begin(), at)), *at, element_count(Shape(at + 1, shape.end()))};
}

}  // namespace halftone::sim::ops
