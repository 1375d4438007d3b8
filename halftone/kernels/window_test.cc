#include "halftone/kernels/window.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "halftone/base/rng.h"

namespace halftone::kernels::window_test {
namespace {

// Offsets of the taps of output pixel (d, h, w) that lie inside the input, by the definition; and how many lie inside
// the padded input.
std::vector<int64_t> taps_of(const Window& w, const Window::Extents& o, int64_t* in_padded) {
  std::vector<int64_t> taps;
  *in_padded = 0;
  Window::Extents k;
  for (k[0] = 0; k[0] < w.kernel[0]; ++k[0]) {
    for (k[1] = 0; k[1] < w.kernel[1]; ++k[1]) {
      for (k[2] = 0; k[2] < w.kernel[2]; ++k[2]) {
        bool inside = true, padded = true;
        int64_t pixel = 0;
        for (size_t axis = 0; axis < 3; ++axis) {
          const int64_t i = o[axis] * w.stride[axis] + k[axis] * w.dilation[axis] - w.pad_begin[axis];
          inside &= i >= 0 && i < w.in[axis];
          padded &= i < w.in[axis] + w.pad_end[axis];
          pixel = pixel * w.in[axis] + i;
        }
        *in_padded += padded;
        if (inside) taps.push_back(pixel * w.from_stride);
      }
    }
  }
  return taps;
}

Window random_window(Rng& rng) {
  Window w;
  for (size_t axis = 0; axis < 3; ++axis) {
    w.kernel[axis] = 1 + static_cast<int64_t>(rng.below(axis == 0 ? 2 : 4));
    w.stride[axis] = 1 + static_cast<int64_t>(rng.below(3));
    w.dilation[axis] = 1 + static_cast<int64_t>(rng.below(3));
    w.pad_begin[axis] = static_cast<int64_t>(rng.below(4));
    w.pad_end[axis] = static_cast<int64_t>(rng.below(4));
    const int64_t reach = (w.kernel[axis] - 1) * w.dilation[axis] + 1;
    w.in[axis] = std::max<int64_t>(1, reach - w.pad_begin[axis] - w.pad_end[axis]) + static_cast<int64_t>(rng.below(9));
    const int64_t room = w.in[axis] + w.pad_begin[axis] + w.pad_end[axis] - reach;
    w.out[axis] = room / w.stride[axis] + 1;
    // ceil_mode: one more window that starts inside.
    const bool starts_inside = w.out[axis] * w.stride[axis] < w.in[axis] + w.pad_begin[axis];
    if (room % w.stride[axis] != 0 && starts_inside && rng.below(2) == 0) ++w.out[axis];
  }
  w.channels = 1 + static_cast<int64_t>(rng.below(5));
  w.from_stride = w.channels + static_cast<int64_t>(rng.below(3));
  w.to_stride = w.channels + static_cast<int64_t>(rng.below(3));
  return w;
}

TEST(WindowWalk, VisitsTheTapsOfTheDefinition) {
  Rng rng(1);
  for (int round = 0; round < 400; ++round) {
    const Window w = random_window(rng);
    const auto begin = static_cast<int64_t>(rng.below(static_cast<uint64_t>(w.out_pixels())));
    const int64_t end = begin + 1 + static_cast<int64_t>(rng.below(static_cast<uint64_t>(w.out_pixels() - begin)));
    int64_t next = begin;
    const std::vector<uint8_t> image(static_cast<size_t>(w.in[0] * w.in[1] * w.in[2] * w.from_stride));
    WindowWalk walk(w, begin, end);
    for (WindowRun run; walk.next(run);) {
      ASSERT_EQ(run.to, next * w.to_stride);
      ASSERT_EQ(run.row.channels, w.channels);
      ASSERT_EQ(run.row.to_step, w.to_stride);
      for (int64_t j = 0; j < run.row.pixels; ++j, ++next) {
        const int64_t row = next / w.out[2];
        int64_t in_padded = 0;
        const std::vector<int64_t> expected = taps_of(w, {row / w.out[1], row % w.out[1], next % w.out[2]}, &in_padded);
        std::vector<int64_t> found;
        const uint8_t* first = image.data() + run.from + j * run.row.from_step;
        for_each_tap(run.row.box, first, [&](const uint8_t* tap) { found.push_back(tap - image.data()); });
        ASSERT_EQ(found, expected) << round << ": " << next;
        ASSERT_EQ(run.row.box.taps(), static_cast<int64_t>(expected.size()));
        ASSERT_EQ(run.padded_taps, in_padded);
      }
    }
    ASSERT_EQ(next, end);
  }
}

}  // namespace
}  // namespace halftone::kernels::window_test
