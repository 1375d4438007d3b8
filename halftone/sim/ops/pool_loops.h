// How pools walk over their windows.
#pragma once

#include "halftone/sim/ops/typed_operands.h"
#include "halftone/sim/ops/window.h"

namespace halftone::sim::ops {

// A pool of x [N, C, in...] to y [N, C, out...].
struct PoolShape {
  int64_t planes;  // N * C
  Window window;
  Shape output;
};
// Errors: Error{InvalidModel} naming the node, for a missing kernel_shape too.
PoolShape read_pool_shape(const OpCall& call, const Shape& x);

// Taps of output position `o` that lie inside the padded input: what count_include_pad divides by.
int64_t count_in_padded(const Window& window, const Window::Extents& o);

// Calls visit(input position within the plane) for every tap of output position `o` that lies inside the input, in
// ascending order.
template <typename F>
void for_each_tap(const Window& window, const Window::Extents& o, F visit) {
  const auto at = [&](size_t axis, int64_t k) {
    return o[axis] * window.stride[axis] + k * window.dilation[axis] - window.pad_begin[axis];
  };
  const auto inside = [&](size_t axis, int64_t i) { return i >= 0 && i < window.in[axis]; };
  for (int64_t kd = 0; kd < window.kernel[0]; ++kd) {
    const int64_t d = at(0, kd);
    if (!inside(0, d)) continue;
    for (int64_t kh = 0; kh < window.kernel[1]; ++kh) {
      const int64_t h = at(1, kh);
      if (!inside(1, h)) continue;
      for (int64_t kw = 0; kw < window.kernel[2]; ++kw) {
        const int64_t w = at(2, kw);
        if (inside(2, w)) visit((d * window.in[1] + h) * window.in[2] + w);
      }
    }
  }
}

// y[plane][o] = pool(x of that plane, o) for every plane and output position.
template <typename T, typename F>
void for_each_output(const PoolShape& shape, const T* x, T* y, F pool) {
  const Window& window = shape.window;
  for (int64_t plane = 0; plane < shape.planes; ++plane, x += window.in_area()) {
    for (int64_t d = 0; d < window.out[0]; ++d) {
      for (int64_t h = 0; h < window.out[1]; ++h) {
        for (int64_t w = 0; w < window.out[2]; ++w) *y++ = pool(x, Window::Extents{d, h, w});
      }
    }
  }
}

}  // namespace halftone::sim::ops
