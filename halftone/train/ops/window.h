// Sliding windows of convolutions and pools, as libtorch takes them.
#pragma once

#include <vector>

#include "halftone/train/op.h"

namespace halftone::train::ops {

struct Window {
  std::vector<int64_t> kernel, stride, dilation;  // per spatial dimension
  std::vector<int64_t> pad_begin, pad_end;
  bool ceil_mode = false;

  bool symmetric_padding() const { return pad_begin == pad_end; }
};

// Reads kernel, strides, dilations, pads, auto_pad and ceil_mode for an operand [N, C, spatial...]. Errors:
// Error{InvalidModel} for lists of the wrong length; Error{Unsupported} for more than three spatial dimensions.
Window read_window(const OpCall& call, const at::Tensor& x, std::vector<int64_t> kernel);

// The operand with `value` around it, as far as the window's padding goes.
at::Tensor padded(const at::Tensor& x, const Window& window, double value);

}  // namespace halftone::train::ops
