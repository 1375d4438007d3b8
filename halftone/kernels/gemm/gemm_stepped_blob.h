// How the kernels without VNNI multiply bytes exactly with vpmaddubsw, which adds two products of uint8 and int8 and
// saturates at 16 bits. A *group* is 4 neighbouring bytes of the left operand under the columns of a tile, one column
// per 32-bit lane; within it each column has two *slots*, the pairs that the instruction adds. A pair is safe as it
// stands when
//   x_high * (sum of its positive weights) <= 32767  and  x_high * (sum of its negative weights) >= -32768
// and nearly any pair becomes safe when one of its two bytes is complemented:
//   x * w = 255 * w + (255 - x) * -w
// turns two weights of equal sign into two of opposite signs, whose sum never leaves 16 bits. 255 * w is a constant and
// goes into the bias; 255 - x is x ^ 0xFF, one vpxor with a mask that lies beside the weights. Complements also let two
// groups add up in 16 bits before they are widened, wherever the weights of each slot can be dealt to two sides of at
// most 128, and that saves as many multiplications as the masks cost.
//
// All this is decided from the weights, when they are packed. Measurements: docs/design/0003-exact-avx2.md.
#pragma once

#include "halftone/kernels/gemm/gemm_tiled_blob.h"

namespace halftone::kernels {

// What one step of the inner loop covers: so many groups that add up in 16 bits, as they stand or complemented.
enum class StepKind { Four, Two, One, TwoMasked, OneMasked };
inline constexpr int kStepKinds = 5;
constexpr int groups_of(StepKind kind) {
  return kind == StepKind::Four ? 4 : kind == StepKind::Two || kind == StepKind::TwoMasked ? 2 : 1;
}
constexpr bool is_masked(StepKind kind) { return kind == StepKind::TwoMasked || kind == StepKind::OneMasked; }

inline constexpr int kGroup = 4;  // bytes

// SteppedBlob, then TileOffsets of each tile, then the tiles, each aligned to 64:
//   constants (gemm_tiled_blob.h)
//   the number of steps of each StepKind (uint32), then in the order of the steps the offset of each group within a row
//     of taps * depth bytes (uint32)
//   from TileOffsets::weights on, per step: its groups' weights [group][lane][4 bytes], then its masks
struct SteppedBlob {
  TiledBlob tiled;
  int64_t groups[kStepKinds];  // of all tiles, by the steps that cover them
};

struct TileOffsets {
  int64_t tile, weights;  // in bytes from the blob's start
};

// The packers' side of GemmKernel, for tiles of 8 or 16 lanes.
size_t stepped_packed_bytes(int lanes, const GemmProblem& problem);
void stepped_pack(int lanes, const GemmProblem& problem, std::byte* to);
std::string stepped_describe(const std::byte* packed);

}  // namespace halftone::kernels
