// The blob of the vectorized kernels: plain bytes, offsets only.
//
// Kernels work on blocks of 32 or 64 channels. A *column* of a block is what one pixel column adds to a pass over
// one or two output rows: the bytes of the input rows that these see, in groups of 2 or 4 rows. A group of a column is
// four vectors of as many bytes as the block has channels; each channel has 4 bytes in one of them (DepthwiseFormat).
// Interleaving rows in lanes of 16 bytes puts channel 16 l + 4 v + i of the block into lane l, place i of vector v.
// Constants and weights are packed in that order, so that packing sums to bytes puts the codes back in order. Where
// channels are few (DepthwiseWay::Narrow), the one block holds neighbouring pixels, and the constants repeat.
#pragma once

#include <cstddef>
#include <cstdint>

namespace halftone::kernels {

inline constexpr int kDepthwiseVectors = 4;  // of a group of a column

// What a channel's 4 bytes of a group of a column are, and its 4 bytes of weights.
enum class DepthwiseFormat : int32_t {
  // Rows r0 r1 as 16-bit numbers, and so are the weights: pmaddwd, exact.
  Pairs,
  // Rows r0 r1 r2 r3 as bytes, and so are the weights: instructions that add up four products without saturating.
  Quads,
  // The same bytes for pmaddubsw, which saturates sums of two products at 16 bits, and never does here:
  //   sum of w * x = sum of |w| * ((x - 128) ^ m) + 128 * sum of w + sum over w < 0 of |w|,   m = w < 0 ? -1 : 0
  // where -128 <= (x - 128) ^ m <= 127 and |w| <= 128, so that two products stay within -32768 .. 32512. The first
  // vector of weights has |w|, a second one m ^ 128 (x - 128 is x ^ 128 as an int8); the bias takes the rest.
  Flips,
};

// How a pass is computed: depthwise_columns.h, depthwise_sliding.h, depthwise_narrow.h.
enum class DepthwiseWay : int32_t { Columns, Sliding, Narrow };

// A block of output channels: first, first + multiplier, .. (one of the filters of each input channel).
struct DepthwiseBlock {
  int64_t offset;         // of its constants
  int64_t input, output;  // first channels
  int32_t lanes;          // channels that vectors hold: 32 or 64
  int32_t count;          // channels that are there
};

// Followed by the blocks, and at their offsets by, each in the order of vectors,
//   int32 bias[lanes], float or int32 factor[lanes], int32 shift[lanes], int32 limit[lanes]
//   weights[vector][kernel_w][groups][rows] of one output row, then shifted down for the second
// In dyadic mode `shift` is the one of the definition less 33, for codes of which the last bit is still to be rounded.
struct alignas(64) DepthwiseBlob {
  uint8_t padding[64];  // a pixel of the input's zero point
  int64_t block_count;
  int64_t multiplier, kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  int64_t groups;                 // groups of rows in a column
  int64_t rows;                   // output rows in a pass, 1 or 2
  int32_t is_dyadic, is_real;     // requantization; is_real: none
  int32_t zero_point, low, high;  // of the output
  // Some sum could give steps outside int32, or some shift is negative. Sums are then first clamped to
  // +-limit[channel], beyond which every code saturates.
  int32_t limited;
  DepthwiseWay way;

  const DepthwiseBlock* blocks() const {
    return reinterpret_cast<const DepthwiseBlock*>(reinterpret_cast<const std::byte*>(this) + sizeof(DepthwiseBlob));
  }
};

// Bytes of stack for the columns of a pass.
inline constexpr int64_t kDepthwisePanel = 65536;
// Output pixels that are computed together, at most.
inline constexpr int64_t kDepthwiseTile = 8;

}  // namespace halftone::kernels
