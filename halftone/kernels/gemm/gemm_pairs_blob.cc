#include "halftone/kernels/gemm/gemm_pairs_blob.h"

#include <cstring>

namespace halftone::kernels {

size_t pairs_packed_bytes(int lanes, const GemmProblem& problem) {
  return static_cast<size_t>(pairs_layout(tiled_blob(lanes, problem)).bytes);
}

void pairs_pack(int lanes, const GemmProblem& problem, std::byte* to) {
  TiledBlob blob = tiled_blob(lanes, problem);
  const PairsLayout layout = pairs_layout(blob);
  std::memset(to, 0, static_cast<size_t>(layout.bytes));
  for (int64_t tile = 0; tile < blob.tiles; ++tile) {
    blob.fit &= pack_tile_constants(blob, problem, tile, nullptr, to + layout.constants + tile * layout.tile_constants);
  }
  const int8_t* from = problem.weights;
  for (int64_t c = 0; c < problem.columns; ++c) {
    std::byte* tile = to + layout.weights + c / lanes * layout.tile_weights + c % lanes * 2;
    for (int64_t tap = 0; tap < problem.taps; ++tap) {
      for (int64_t d = 0; d < problem.depth; ++d) {
        tile[(tap * layout.pairs + d / 2) * lanes * 2 + d % 2] = static_cast<std::byte>(*from++);
      }
    }
  }
  std::memcpy(to, &blob, sizeof(blob));
}

}  // namespace halftone::kernels
