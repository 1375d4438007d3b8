// How the kernels without VNNI multiply bytes exactly with vpmaddubsw, which adds two products of uint8 and int8 and
// saturates at 16 bits. A *group* is 4 neighbouring bytes of the left operand under all columns of a tile; within it
// each column has two *slots*, the pairs that the instruction adds. A pair is safe as it stands when
//   x_high * (sum of its positive weights) <= 32767  and  x_high * (sum of its negative weights) >= -32768
// and nearly any pair can be made safe by complementing one of its two bytes:
//   x * w = 255 * w + (255 - x) * -w
// turns two weights of equal sign into two of opposite signs, whose sum never leaves 16 bits. 255 * w is a constant and
// goes into the bias; 255 - x is x ^ 0xFF, one vpxor with a mask that lies beside the weights. Complementing bytes also
// lets two groups add up in 16 bits before they are widened, wherever the weights of each slot can be dealt to two
// sides of at most 128, and that saves as many multiplications as the masks cost.
//
// All this is decided from the weights, when they are packed. Measurements: docs/design/0002-exact-avx2.md.
#pragma once

#include "halftone/kernels/gemm/gemm.h"

namespace halftone::kernels {

// What one step of the inner loop covers: so many groups that add up in 16 bits, as they stand or complemented.
enum class StepKind { Four, Two, One, TwoMasked, OneMasked };
inline constexpr int kStepKinds = 5;
constexpr int groups_of(StepKind kind) {
  return kind == StepKind::Four ? 4 : kind == StepKind::Two || kind == StepKind::TwoMasked ? 2 : 1;
}
constexpr bool is_masked(StepKind kind) { return kind == StepKind::TwoMasked || kind == StepKind::OneMasked; }

inline constexpr int kGroup = 4;  // bytes of a group

// Blob: SteppedHeader, then `tiles` offsets (uint64, from the blob's start) of tiles. A tile, aligned to 64:
//   TileConstants<lanes>
//   per tap: uint32 steps of each StepKind, then the offset of each group within the tap, in the order of the steps
//   to the next multiple of 64: per step its groups' weights [group][lane][4 bytes], and if it is masked their masks
// A tile without a column of its own holds zeros there. Columns that fill no tile are the last one's.
struct SteppedHeader {
  int64_t columns, tiles, taps, depth;
  GemmResult result;
  RequantizeMode mode;
  int32_t zero_point, low, high;
  bool has_terms;
  bool clamps;  // some accumulator has to be cut to +-bound before it is requantized
  // How the groups of all tiles are computed, for people.
  int64_t groups[kStepKinds];
};

template <int64_t kLanes>
struct TileConstants {
  int32_t bias[kLanes];  // x_zero_point and complements folded in
  int32_t term[kLanes];
  float multiplier[kLanes];
  int32_t dyadic_multiplier[kLanes], dyadic_shift[kLanes];
  int32_t bound[kLanes];
  uint64_t weights;  // offset from the start of the tile
  uint64_t unused[7];
};

size_t stepped_packed_bytes(const GemmProblem& problem, int lanes);
void pack_stepped(const GemmProblem& problem, int lanes, std::byte* to);

}  // namespace halftone::kernels
