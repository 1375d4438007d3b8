// Convolutions through oneDNN: shared by the rules that come down to one.
#pragma once

#include <string>
#include <vector>

#include "halftone/runtime/activation.h"
#include "halftone/runtime/conv_shape.h"

namespace halftone::runtime {

// A convolution of the value `src`, with weights in ONNX's order [oc, ic / groups, kh, kw] and a bias by channel
// (empty: none).
struct Convolution {
  ConvShape shape;
  ValueId src = ValueId::None;
  const float* weights = nullptr;
  std::vector<float> bias;
};

// Adds the convolution and what follows the value `dst` that it computes, cut into slices for the threads:
//   along the batch, where there are images enough;
//   along blocks of output channels (for groups: of input channels with them), which are contiguous for one image;
//   along rows, where input and output have one block of channels.
// Returns "" or why oneDNN refuses.
std::string add_convolution(Lowering& lowering, const Convolution& convolution, ValueId dst);

}  // namespace halftone::runtime
