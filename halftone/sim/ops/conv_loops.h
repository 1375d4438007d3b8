// The convolution's loops, one definition for every element type.
#pragma once

#include <algorithm>
#include <cstdint>

#include "halftone/sim/ops/row_loops.h"
#include "halftone/sim/ops/window.h"

namespace halftone::sim::ops {

// Extents of a convolution of x [batch, groups * ic, in...] with weights [groups * oc, ic, kernel...].
struct ConvShape {
  int64_t batch = 0;
  int64_t groups = 1;
  int64_t ic = 0;  // input channels per group
  int64_t oc = 0;  // output channels per group
  Window window;
  int64_t spatial_rank = 0;

  Shape output() const { return output_shape(batch, groups * oc, window, spatial_rank); }
};

// Reads a Conv-like node's attributes and holds the operands' shapes against each other. Errors: Error{InvalidModel}
// naming the node.
ConvShape read_conv_shape(const OpCall& call, const Shape& x, const Shape& weights);

// Adds one kernel tap's products to an output plane: out[o] += weight * in[o * stride + tap * dilation - pad] for all o
// whose input element exists; what lies in the padding is zero and adds nothing.
template <typename T>
void add_tap(const Window& window, const Window::Extents& tap, T weight, const T* in, T* out) {
  const Window::Range depth = window.inside(0, tap[0]);
  const Window::Range height = window.inside(1, tap[1]);
  const Window::Range width = window.inside(2, tap[2]);
  if (width.first >= width.last) return;
  const auto input_at = [&](size_t axis, int64_t o) {
    return o * window.stride[axis] + tap[axis] * window.dilation[axis] - window.pad_begin[axis];
  };
  for (int64_t od = depth.first; od < depth.last; ++od) {
    for (int64_t oh = height.first; oh < height.last; ++oh) {
      const T* row = in + (input_at(0, od) * window.in[1] + input_at(1, oh)) * window.in[2];
      T* sums = out + (od * window.out[1] + oh) * window.out[2];
      add_scaled(weight, row + input_at(2, width.first), window.stride[2], sums + width.first,
                 width.last - width.first);
    }
  }
}

// y[n][oc][o] = bias[oc] + sum over ic, kd, kh, kw of weights[oc][ic][k] * x[n][ic][o * stride + k * dilation - pad].
// Each output element is summed in T, from its bias (0 where bias is nullptr), in ascending (ic, kd, kh, kw). Integers
// are summed modulo 2^bits.
template <typename T>
void convolve(const ConvShape& shape, const T* x, const T* weights, const T* bias, T* y) {
  Window window = shape.window;
  const int64_t in_area = window.in_area(), out_area = window.out_area();
  if (window.taps() == 1 && in_area == out_area && window.stride == Window::Extents{1, 1, 1}) {
    // A pointwise convolution does not care about places: one long row instead of many short ones.
    window = Window{};
    window.in[2] = window.out[2] = in_area;
  }
  for (int64_t n = 0; n < shape.batch; ++n) {
    for (int64_t channel = 0; channel < shape.groups * shape.oc; ++channel) {
      const int64_t group = channel / shape.oc;
      const T* in = x + (n * shape.groups + group) * shape.ic * in_area;
      const T* weight = weights + channel * shape.ic * window.taps();
      T* out = y + (n * shape.groups * shape.oc + channel) * out_area;
      std::fill_n(out, out_area, bias == nullptr ? T{0} : bias[channel]);
      for (int64_t ic = 0; ic < shape.ic; ++ic, in += in_area) {
        for (int64_t kd = 0; kd < window.kernel[0]; ++kd) {
          for (int64_t kh = 0; kh < window.kernel[1]; ++kh) {
            for (int64_t kw = 0; kw < window.kernel[2]; ++kw) add_tap(window, {kd, kh, kw}, *weight++, in, out);
          }
        }
      }
    }
  }
}

}  // namespace halftone::sim::ops
