// Where the scales of a layer's weights lie.
#pragma once

#include "halftone/graph/graph.h"
#include "halftone/quant/quant_params.h"

namespace halftone {

// The axis of the output channels in the weights of a Conv, ConvTranspose, Gemm or MatMul; -1 where they have none: the
// axis of a ConvTranspose counts the channels of one group, so that groups would have to share scales.
int64_t channel_axis(const Node& layer);

// The axis along which a sum runs, that of the inputs.
int64_t reduction_axis(const Node& layer);

// The axis of the scales that `spec` asks for, -1 for one scale. Changes the granularity where there is no such axis:
// one scale instead of several for weights without a channel axis, one per channel instead of blocks where the
// reduction axis is shorter than a block (the weights of a depthwise convolution are, each of which would get its own
// scale).
int64_t place_scales(const Node& layer, const Shape& weights, QuantSpec& spec);

}  // namespace halftone
