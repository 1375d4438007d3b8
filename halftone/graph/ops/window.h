// The sliding window of convolutions and pools.
#pragma once

#include <cstdint>
#include <vector>

#include "halftone/graph/ops/rules.h"

namespace halftone::rules {

// The attributes kernel_shape, strides, dilations, pads and auto_pad, one entry per spatial axis.
struct Window {
  enum class Padding { Explicit, Same, Valid };

  std::vector<int64_t> kernel, strides, dilations, pads_begin, pads_end;
  Padding padding = Padding::Explicit;

  // (kernel - 1) * dilation + 1: what the window covers.
  int64_t reach(const InferContext& ctx, size_t axis) const;
};

// Refuses lists of the wrong length and entries out of range. `kernel` has one entry per spatial axis.
Window window_of(const InferContext& ctx, std::vector<int64_t> kernel);

// How many positions the window takes along a spatial axis of extent `in`:
//   explicit pads  floor((in + pads - reach) / stride) + 1, or with ceil_mode ceil, less the window that would start
//                  in the end padding
//   SAME           ceil(in / stride)
//   VALID          floor((in - reach) / stride) + 1
// Source: ONNX Conv, MaxPool, AveragePool. A symbol survives where the window keeps every extent as it is.
Dim slide(const InferContext& ctx, const Window& window, size_t axis, const Dim& in, bool ceil_mode);

}  // namespace halftone::rules
