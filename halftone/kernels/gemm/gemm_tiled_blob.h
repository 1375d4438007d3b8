// What the blobs of the kernels without VNNI have in common: tiles of as many columns as a vector has 32-bit lanes,
// each with rows of `lanes` words: bias, column terms (where there are any), requantizer rows (requantizer.h). Lanes
// without a column hold zeros and a multiplier of 1.
#pragma once

#include "halftone/kernels/gemm/gemm.h"

namespace halftone::kernels {

inline constexpr int64_t kTileAlign = 64;
inline constexpr int kMaxLanes = 16;

struct TiledBlob {
  int64_t columns, taps, depth, lanes, tiles;
  int64_t terms, requantizer, constant_bytes;  // in bytes from a tile's constants; terms 0: none
  RequantizeMode mode;
  GemmResult result;
  int32_t zero_point, low, high;
  bool fit;  // steps of all columns fit int32
};

// All but `fit`, which is true so far.
TiledBlob tiled_blob(int lanes, const GemmProblem& problem);

// Writes the constants of a tile. `folded` is added to the biases, by lane; null: nothing. False where steps of a
// column don't fit.
bool pack_tile_constants(const TiledBlob& blob, const GemmProblem& problem, int64_t tile, const uint32_t* folded,
                         std::byte* to);

// GemmKernel's questions about a blob that starts with a TiledBlob; a column block is a tile.
int64_t tiled_column_blocks(const std::byte* packed);
int64_t tiled_first_column(const std::byte* packed, int64_t block);

inline __attribute__((always_inline)) int64_t tile_aligned(int64_t bytes) {
  return (bytes + kTileAlign - 1) / kTileAlign * kTileAlign;
}

}  // namespace halftone::kernels
