// A convolution's geometry, in two dimensions (one-dimensional ones have height 1).
#pragma once

#include <cstdint>
#include <optional>

#include "halftone/runtime/lowering.h"

namespace halftone::runtime {

struct ConvShape {
  int64_t n = 1, groups = 1;
  int64_t ic = 1, ih = 1, iw = 1;
  int64_t oc = 1, oh = 1, ow = 1;
  int64_t kh = 1, kw = 1;
  int64_t stride_h = 1, stride_w = 1;
  int64_t dilation_h = 1, dilation_w = 1;
  int64_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;

  bool depthwise() const { return groups > 1 && groups == ic && groups == oc; }
  double macs() const { return static_cast<double>(n * oc * oh * ow) * static_cast<double>(kh * kw * (ic / groups)); }
};

// The rows of the input that rows [row, row + rows) of the output need, and the padding that remains.
struct InputRows {
  int64_t begin, count, pad_top, pad_bottom;
};
InputRows input_rows(const ConvShape& shape, int64_t row, int64_t rows);

// The geometry of a Conv, ConvTranspose, MaxPool or AveragePool node. `weights` gives channels and kernel of the
// convolutions (ONNX's order), nullptr for pools. The bottom and right padding is what the output shape implies.
// nullopt when a shape is unknown or the node has other than one or two spatial dimensions.
std::optional<ConvShape> conv_shape(const Lowering& lowering, const Node& node, const Shape* weights);

}  // namespace halftone::runtime
