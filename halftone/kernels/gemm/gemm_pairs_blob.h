// The blob of kernels that multiply words of 16 bits and add neighbours: a TiledBlob; the tiles' constants; weights as
// bytes, [tile][tap][pair][lane][2], a tap's last pair filled up with zero.
#pragma once

#include "halftone/kernels/gemm/gemm_tiled_blob.h"

namespace halftone::kernels {

struct PairsLayout {
  int64_t pairs;  // per tap
  int64_t constants, tile_constants, weights, tile_weights, bytes;
};

inline __attribute__((always_inline)) PairsLayout pairs_layout(const TiledBlob& blob) {
  PairsLayout layout = {};
  layout.pairs = (blob.depth + 1) / 2;
  layout.constants = tile_aligned(sizeof(TiledBlob));
  layout.tile_constants = blob.constant_bytes;
  layout.weights = tile_aligned(layout.constants + blob.tiles * layout.tile_constants);
  layout.tile_weights = blob.taps * layout.pairs * blob.lanes * 2;
  layout.bytes = layout.weights + blob.tiles * layout.tile_weights;
  return layout;
}

size_t pairs_packed_bytes(int lanes, const GemmProblem& problem);
void pairs_pack(int lanes, const GemmProblem& problem, std::byte* to);

}  // namespace halftone::kernels
