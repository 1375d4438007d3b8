// DynamicQuantizeLinear. https://onnx.ai/onnx/operators/onnx__DynamicQuantizeLinear.html
#include "halftone/sim/dynamic_codes.h"
#include "halftone/sim/ops.h"
#include "halftone/tensor/packing.h"

namespace halftone::sim::ops {

std::vector<Tensor> dynamic_quantize_linear(const OpCall& call) {
  const DynamicCodes x = quantize_dynamically(call, 0, DynamicRange::PerTensor);
  std::vector<int32_t> codes = to_vector<int32_t>(x.steps);
  for (int32_t& code : codes) code += x.grids[0].zero_point;
  return {pack_integers(DType::UInt8, x.steps.shape(), codes), Tensor::scalar(x.grids[0].scale),
          Tensor::scalar(static_cast<uint8_t>(x.grids[0].zero_point))};
}

}  // namespace halftone::sim::ops
