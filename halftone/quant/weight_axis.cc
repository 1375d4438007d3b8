#include "halftone/quant/weight_axis.h"

namespace halftone {

int64_t channel_axis(const Node& layer) {
  if (layer.is("Conv")) return 0;
  if (layer.is("ConvTranspose")) return layer.int_or("group", 1) == 1 ? 1 : -1;
  return layer.is("Gemm") && layer.int_or("transB", 0) != 0 ? 0 : 1;
}

int64_t reduction_axis(const Node& layer) {
  if (layer.is("Conv")) return 1;
  if (layer.is("ConvTranspose")) return 0;
  return layer.is("Gemm") && layer.int_or("transB", 0) != 0 ? 1 : 0;
}

int64_t place_scales(const Node& layer, const Shape& weights, QuantSpec& spec) {
  if (spec.granularity == Granularity::PerBlock) {
    const auto axis = static_cast<size_t>(reduction_axis(layer));
    if (axis < weights.size() && weights[axis] >= spec.block_size) return static_cast<int64_t>(axis);
    spec.granularity = Granularity::PerChannel;
  }
  const int64_t axis = spec.granularity == Granularity::PerTensor ? -1 : channel_axis(layer);
  if (axis < 0) spec.granularity = Granularity::PerTensor;
  return axis;
}

}  // namespace halftone
