// One pass of a vectorized kernel: one or two output rows of an image, one block of channels.
//
// Everything lies in an unnamed namespace, as in depthwise_lanes.h.
#pragma once

#include "halftone/kernels/depthwise/depthwise.h"
#include "halftone/kernels/depthwise/depthwise_blob.h"
#include "halftone/kernels/depthwise/depthwise_lanes.h"

namespace halftone::kernels {
namespace {

struct DepthwisePass {
  const DepthwiseBlob& blob;
  const DepthwiseBlock& block;
  const DepthwiseRun& run;
  const uint8_t* image;
  int64_t y;    // first output row
  uint8_t* to;  // first pixel of that row, the block's first output

  HT_INLINE const uint8_t* constants() const { return reinterpret_cast<const uint8_t*>(&blob) + block.offset; }
  HT_INLINE int64_t to_row() const { return run.out_w * run.to_stride; }
};
using DepthwisePassFunction = void(const DepthwisePass&);

// Input rows first .. first + Count - 1 of the window of output row y, at the block's channels. Those outside the
// input stay at the blob's padding.
template <int Count>
struct InputRows {
  const uint8_t* row[Count];
  int64_t step[Count];

  HT_INLINE InputRows(const DepthwisePass& pass, int64_t first) {
    const DepthwiseRun& run = pass.run;
    for (int r = 0; r < Count; ++r) {
      const int64_t y = pass.y * pass.blob.stride_h + (first + r) * pass.blob.dilation_h - run.pad_top;
      const bool there = y >= 0 && y < run.in_h;
      row[r] = there ? pass.image + y * run.in_w * run.from_stride + pass.block.input : pass.blob.padding;
      step[r] = there ? run.from_stride : 0;
    }
  }
  HT_INLINE void move(int64_t columns) {
    for (int r = 0; r < Count; ++r) row[r] += columns * step[r];
  }
};

}  // namespace
}  // namespace halftone::kernels
