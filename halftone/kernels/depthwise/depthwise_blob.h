// The blob of the vectorized kernels: plain bytes, offsets only.
//
// Kernels work on blocks of 16, 32 or 64 channels. A *column* of a block is what one pixel column adds to a pass over
// one or two output rows: the bytes of the input rows that these see, in groups of `group_rows` rows. A group of a
// column is four vectors of as many bytes as the block has channels; each channel has 4 bytes in one of them:
//   group_rows 4:  r0 r1 r2 r3     as bytes           (instructions that add up four products of bytes)
//   group_rows 2:  r0 r1           as 16-bit numbers  (pmaddwd)
// Interleaving rows in lanes of 16 bytes puts channel 16 l + 4 v + i of the block into lane l, place i of vector v.
// Constants and weights are packed in that order, so that packing sums to bytes puts the codes back in order.
#pragma once

#include <cstddef>
#include <cstdint>

namespace halftone::kernels {

inline constexpr int kDepthwiseVectors = 4;  // of a group of a column

// A block of output channels: first, first + multiplier, .. (one of the filters of each input channel).
struct DepthwiseBlock {
  int64_t offset;         // of its constants
  int64_t input, output;  // first channels
  int32_t lanes;          // channels that vectors hold: 16, 32 or 64
  int32_t count;          // channels that are there
};

// Followed by the blocks, and at their offsets by, each in the order of vectors,
//   int32 bias[lanes], float or int32 factor[lanes], int32 shift[lanes], int32 limit[lanes]
//   weights[vector][kernel_w][groups][rows][lanes bytes]: of one output row, then shifted down for the second
struct alignas(64) DepthwiseBlob {
  uint8_t padding[64];  // a pixel of the input's zero point
  int64_t block_count;
  int64_t multiplier, kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  int64_t groups;                 // groups of rows in a column
  int64_t rows;                   // output rows in a pass, 1 or 2
  int32_t is_dyadic, is_real;     // requantization; is_real: none
  int32_t zero_point, low, high;  // of the output
  // Some sum could give steps outside int32. Sums are then first clamped to +-limit[channel], beyond which every code
  // saturates.
  int32_t limited;

  const DepthwiseBlock* blocks() const {
    return reinterpret_cast<const DepthwiseBlock*>(reinterpret_cast<const std::byte*>(this) + sizeof(DepthwiseBlob));
  }
};

// Bytes of stack for the columns of a pass.
inline constexpr int64_t kDepthwisePanel = 65536;
// Output pixels that are computed together, 2 in each of two rows or 4 in one row.
inline constexpr int64_t kDepthwiseTile = 4;

}  // namespace halftone::kernels
