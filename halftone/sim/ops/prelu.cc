// PRelu. https://onnx.ai/onnx/operators/onnx__PRelu.html
#include "halftone/sim/ops.h"
#include "halftone/sim/ops/row_loops.h"
#include "halftone/sim/ops/typed_operands.h"

namespace halftone::sim::ops {

std::vector<Tensor> prelu(const OpCall& call) {
  return in_numeric(call, []<typename T>(const OpCall& c) -> std::vector<Tensor> {
    Tensor y = c.input(0);
    const Tensor slopes = broadcast_input<T>(c, 1, y.shape());
    const std::span<const T> slope = slopes.data<T>();
    const std::span<T> out = y.mutable_data<T>();
    for (size_t i = 0; i < out.size(); ++i) {
      if (out[i] < T{0}) out[i] = multiply_add(out[i], slope[i], T{0});
    }
    return {y};
  });
}

}  // namespace halftone::sim::ops
