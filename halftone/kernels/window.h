// Sliding windows over images whose channels come last, cut into runs of output pixels that look alike.
#pragma once

#include <array>
#include <cstdint>

namespace halftone::kernels {

// One, two or three spatial dimensions; fewer than three have leading ones. Tap k of output position o reads input
// position o * stride + k * dilation - pad_begin; taps outside the input are padding. Pixels of the input and the
// output are `from_stride` and `to_stride` bytes apart.
struct Window {
  using Extents = std::array<int64_t, 3>;
  Extents in{1, 1, 1}, out{1, 1, 1};
  Extents kernel{1, 1, 1}, stride{1, 1, 1}, dilation{1, 1, 1};
  Extents pad_begin{0, 0, 0}, pad_end{0, 0, 0};
  int64_t channels = 0;
  int64_t from_stride = 0, to_stride = 0;

  int64_t out_pixels() const { return out[0] * out[1] * out[2]; }
  int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
};

// The taps of one output pixel that lie inside the input: a box of pixels, `stride` bytes apart in each direction.
struct Box {
  int64_t count[3] = {1, 1, 1};
  int64_t stride[3] = {0, 0, 0};

  int64_t taps() const { return count[0] * count[1] * count[2]; }
};

// Calls visit(tap) for the box whose first tap is `first`.
template <typename F>
void for_each_tap(const Box& box, const uint8_t* first, F visit) {
  for (int64_t d = 0; d < box.count[0]; ++d) {
    for (int64_t h = 0; h < box.count[1]; ++h) {
      for (int64_t w = 0; w < box.count[2]; ++w) {
        visit(first + d * box.stride[0] + h * box.stride[1] + w * box.stride[2]);
      }
    }
  }
}

// Neighbouring output pixels with equal boxes: pixel j reads its box from j * from_step on and writes at j * to_step.
struct BoxRow {
  Box box;
  int64_t pixels = 1;
  int64_t channels = 0;
  int64_t from_step = 0, to_step = 0;  // bytes
};

// A run of output pixels in one row of a window's output.
struct WindowRun {
  BoxRow row;
  int64_t from = 0, to = 0;  // byte offsets of the first tap and the first output pixel
  int64_t padded_taps = 0;   // taps inside the padded input: what count_include_pad divides by
};

// Walks output pixels [begin, end) in runs.
class WindowWalk {
 public:
  WindowWalk(const Window& window, int64_t begin, int64_t end) : window_(window), next_(begin), end_(end) {}
  // False after the last run.
  bool next(WindowRun& run);

 private:
  const Window& window_;
  int64_t next_, end_;
};

}  // namespace halftone::kernels
