// PRelu. https://onnx.ai/onnx/operators/onnx__PRelu.html
#include "halftone/sim/ops.h"
#include "halftone/sim/ops/row_loops.h"
#include "halftone/sim/ops/typed_operands.h"

namespace halftone::sim::ops {
namespace {

// The slope of each element.
template <typename T>
Tensor slopes_of(const OpCall& call) {
  const Shape& shape = call.input(0).shape();
  if (call.opset >= 7) return broadcast_input<T>(call, 1, shape);
  // Before opset 7 the slopes were one number, or one per channel.
  elements<T>(call, 1);  // for its check
  Shape per_channel(shape.size(), 1);
  if (shape.size() > 1) per_channel[1] = call.input(1).size();
  return broadcast_to(call, call.input(1).reshaped(per_channel), shape);
}

}  // namespace

std::vector<Tensor> prelu(const OpCall& call) {
  return in_numeric(call, []<typename T>(const OpCall& c) -> std::vector<Tensor> {
    Tensor y = c.input(0);
    const Tensor slopes = slopes_of<T>(c);
    const std::span<const T> slope = slopes.data<T>();
    const std::span<T> out = y.mutable_data<T>();
    for (size_t i = 0; i < out.size(); ++i) {
      if (out[i] < T{0}) out[i] = multiply_add(out[i], slope[i], T{0});
    }
    return {y};
  });
}

}  // namespace halftone::sim::ops
