// Blobs of the kernels on vpdpbusd, which multiplies 4 bytes of the left operand with 4 weights of each 32-bit lane.
//
// Columns lie in vectors of `lanes`; a column block is 1 to `most` vectors, nearly the same number for all blocks. Per
// vector there are rows of `lanes` words: bias, column terms (where there are any), requantizer rows. Weights are
// [vector block][tap][step of 4 bytes][vector][lane][4 bytes], zero where a tap ends within a step.
// Within a block of V vectors, word c of 128-bit lane i of vector j belongs to column 4 V i + 4 j + c where the result
// is codes: instructions that pack words to bytes work within such lanes. For real results columns are in order.
#pragma once

#include <iterator>

#include "halftone/kernels/gemm/gemm.h"

namespace halftone::kernels {

inline constexpr int64_t kVnniStep = 4;

struct VnniBlob {
  int64_t columns, taps, depth;
  int64_t steps;                   // per tap
  int64_t lanes, vectors, blocks;  // lanes per vector; vectors and blocks in all
  int64_t vector_bytes;            // of constants per vector
  int64_t terms, requantizer;      // in bytes from a vector's constants; terms 0: none
  int64_t constants, weights;      // in bytes from here
  RequantizeMode mode;
  GemmResult result;
  int32_t zero_point, low, high;
  bool fit;         // steps of all columns fit int32
  bool stationary;  // few enough weights for all of a block's to stay in registers
};

// Small depths for which kernels keep the weights in registers: steps per tap times taps.
struct VnniStationary {
  int taps, steps;
};
inline constexpr VnniStationary kVnniStationary[] = {{1, 1}, {1, 2}, {1, 3}, {1, 4}, {1, 6}, {1, 8}, {3, 1}, {3, 3}};

// The first vector of a block; block == blocks gives the number of vectors.
inline __attribute__((always_inline)) int64_t vnni_first_vector(const VnniBlob& blob, int64_t block) {
  const int64_t least = blob.vectors / blob.blocks, more = blob.vectors % blob.blocks;
  return block * least + (block < more ? block : more);
}

// The packers' side of GemmKernel, for vectors of so many lanes, so many vectors per block, and so many vectors of
// weights that stay in registers.
struct VnniLayout {
  int64_t lanes, most_vectors, stationary;
};
size_t vnni_packed_bytes(const VnniLayout& layout, const GemmProblem& problem);
void vnni_pack(const VnniLayout& layout, const GemmProblem& problem, std::byte* to);
int64_t vnni_column_blocks(const std::byte* packed);
int64_t vnni_first_column(const std::byte* packed, int64_t block);
size_t vnni_scratch_bytes(const std::byte* packed);

// The runs, by what becomes of sums; each in a source of its own, as there are many tiles.
void float_avx512vnni(const std::byte* packed, const GemmRun& run);
void dyadic_avx512vnni(const std::byte* packed, const GemmRun& run);
void real_avx512vnni(const std::byte* packed, const GemmRun& run);

}  // namespace halftone::kernels
