#include "halftone/kernels/window.h"

#include <algorithm>

namespace halftone::kernels {
namespace {

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Taps [first, last) of output position o that lie inside the input.
struct Taps {
  int64_t first, last;
};
Taps taps_inside(const Window& w, size_t axis, int64_t o) {
  const int64_t start = o * w.stride[axis] - w.pad_begin[axis], step = w.dilation[axis];
  const int64_t first = start < 0 ? ceil_div(-start, step) : 0;
  const int64_t last = start < w.in[axis] ? std::min(ceil_div(w.in[axis] - start, step), w.kernel[axis]) : 0;
  return {std::min(first, last), last};
}

// A last window of ceil_mode may reach beyond the padded input.
int64_t taps_in_padded(const Window& w, size_t axis, int64_t o) {
  const int64_t room = w.in[axis] + w.pad_begin[axis] + w.pad_end[axis] - o * w.stride[axis];
  return std::min(w.kernel[axis], ceil_div(room, w.dilation[axis]));
}

// The output positions behind `o`, up to `limit`, whose taps all lie inside the input if those of `o` do.
int64_t end_of_interior(const Window& w, size_t axis, int64_t o, int64_t limit) {
  const int64_t reach = (w.kernel[axis] - 1) * w.dilation[axis];
  const int64_t start = o * w.stride[axis] - w.pad_begin[axis];
  if (start < 0 || start + reach >= w.in[axis]) return o + 1;
  return std::min(limit, o + (w.in[axis] - 1 - reach - start) / w.stride[axis] + 1);
}

}  // namespace

bool WindowWalk::next(WindowRun& run) {
  if (next_ >= end_) return false;
  const Window& w = window_;
  const int64_t row = next_ / w.out[2];
  const Window::Extents o = {row / w.out[1], row % w.out[1], next_ % w.out[2]};
  const int64_t past = end_of_interior(w, 2, o[2], std::min(w.out[2], o[2] + end_ - next_));

  const Window::Extents line = {w.in[1] * w.in[2] * w.from_stride, w.in[2] * w.from_stride, w.from_stride};
  run.row = {{}, past - o[2], w.channels, w.stride[2] * w.from_stride, w.to_stride};
  run.from = 0;
  run.to = next_ * w.to_stride;
  run.padded_taps = 1;
  for (size_t axis = 0; axis < 3; ++axis) {
    const Taps taps = taps_inside(w, axis, o[axis]);
    run.row.box.count[axis] = taps.last - taps.first;
    run.row.box.stride[axis] = w.dilation[axis] * line[axis];
    run.from += (o[axis] * w.stride[axis] - w.pad_begin[axis] + taps.first * w.dilation[axis]) * line[axis];
    run.padded_taps *= taps_in_padded(w, axis, o[axis]);
  }
  next_ += past - o[2];
  return true;
}

}  // namespace halftone::kernels
