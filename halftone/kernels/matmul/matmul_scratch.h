// How the vector kernels of `matmul` use their scratch: operands as int16 differences from their zero points, in pairs
// of neighbours along the depth.
#pragma once

#include "halftone/kernels/matmul/matmul.h"

namespace halftone::kernels {

// Rows of a tile at most, and vectors of columns: bytes that are interleaved with their neighbours twice make four
// vectors of words, which packing puts back in order.
inline constexpr int64_t kMatMulRows = 6, kMatMulVectors = 4;

struct MatMulScratch {
  int64_t pairs;    // along the depth
  int64_t blocks;   // of kMatMulVectors vectors of columns
  int64_t a_bytes;  // first: kMatMulRows rows of pairs
  int64_t b_bytes;  // then: [block][pair][vector][lane][2]
};

inline __attribute__((always_inline)) MatMulScratch matmul_scratch(const MatMulProblem& problem, int64_t lanes) {
  const int64_t pairs = (problem.depth + 1) / 2, width = kMatMulVectors * lanes;
  const int64_t blocks = (problem.columns + width - 1) / width;
  return {pairs, blocks, (kMatMulRows * pairs * 4 + 63) / 64 * 64, blocks * pairs * width * 4};
}

}  // namespace halftone::kernels
