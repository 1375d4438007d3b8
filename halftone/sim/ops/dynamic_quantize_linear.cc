// DynamicQuantizeLinear. https://onnx.ai/onnx/operators/onnx__DynamicQuantizeLinear.html
#include <algorithm>
#include <cmath>

#include "halftone/quant/quant_params.h"
#include "halftone/sim/ops.h"
#include "halftone/sim/ops/typed_operands.h"

namespace halftone::sim::ops {

// uint8 codes on the grid over [min(x, 0), max(x, 0)]:
//   scale = (high - low) / 255, zero_point = saturate(round_half_even(0 - low / scale))
// An operand of zeros gets scale 1.
std::vector<Tensor> dynamic_quantize_linear(const OpCall& call) {
  float low = 0, high = 0;
  for (float x : elements<float>(call, 0)) {
    low = std::min(low, x);
    high = std::max(high, x);
  }
  if (!std::isfinite(low) || !std::isfinite(high)) {
    fail(ErrorCode::NumericRange, describe(call.graph, call.node), "requires finite elements, found [{}, {}]", low,
         high);
  }
  QuantParams params;
  const float scale = high > low ? (high - low) / 255.0f : 1.0f;
  params.scale = {scale};
  params.zero_point = {quantize(-low, scale, 0, 0, 255)};
  return {quantize(call.input(0), params), Tensor::scalar(scale),
          Tensor::scalar(static_cast<uint8_t>(params.zero_point[0]))};
}

}  // namespace halftone::sim::ops
