// Sliding windows of convolutions and pools: kernel, strides, dilations and padding of one, two or three spatial
// dimensions.
#pragma once

#include <array>
#include <span>

#include "halftone/sim/interpreter.h"

namespace halftone::sim::ops {

// Always three spatial dimensions; a tensor with fewer has leading ones of extent 1. Tap k of output position o reads
// input position o * stride + k * dilation - pad_begin.
struct Window {
  using Extents = std::array<int64_t, 3>;
  Extents in{1, 1, 1};
  Extents out{1, 1, 1};
  Extents kernel{1, 1, 1};
  Extents stride{1, 1, 1};
  Extents dilation{1, 1, 1};
  Extents pad_begin{0, 0, 0};
  Extents pad_end{0, 0, 0};

  // Input elements from the first tap to the last, both counted.
  int64_t reach(size_t axis) const { return (kernel[axis] - 1) * dilation[axis] + 1; }
  int64_t in_area() const { return in[0] * in[1] * in[2]; }
  int64_t out_area() const { return out[0] * out[1] * out[2]; }
  int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }

  // Output positions whose tap `k` along `axis` lies inside the input: [first, last).
  struct Range {
    int64_t first, last;
  };
  Range inside(size_t axis, int64_t k) const;
};

// How the node's auto_pad asks for padding.
enum class AutoPad { NotSet, SameUpper, SameLower, Valid };
AutoPad auto_pad_of(const OpCall& call);

// Reads strides, dilations and pads. `in` and `kernel` are the spatial extents (as many as the operator has spatial
// dimensions). `out` is left at 1. Errors: Error{InvalidModel} for lists of the wrong length, strides, dilations or
// kernels below 1 and negative pads; Error{Unsupported} for more than three dimensions.
Window read_window(const OpCall& call, std::span<const int64_t> in, std::span<const int64_t> kernel);

// As read_window, and settles padding and output extents by auto_pad and ceil_mode:
//   out = floor((in + pad_begin + pad_end - reach) / stride) + 1, with ceil instead of floor in ceil_mode, where a
//   window that would start beyond the input and its first padding is dropped;
//   SAME_*: out = ceil(in / stride), the padding that takes halved, the odd one at the end (UPPER) or the start
//   (LOWER).
// Errors: also Error{InvalidModel} when the window is larger than the padded input.
Window read_sliding_window(const OpCall& call, std::span<const int64_t> in, std::span<const int64_t> kernel);

// The shape [batch, channels, out...] with as many spatial dimensions as `spatial_rank`.
Shape output_shape(int64_t batch, int64_t channels, const Window& window, int64_t spatial_rank);

}  // namespace halftone::sim::ops
