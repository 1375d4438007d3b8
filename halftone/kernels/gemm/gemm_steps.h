// How the AVX2 and AVX-512 (without VNNI) kernels multiply bytes exactly with vpmaddubsw, which adds two products of
// uint8 and int8 and saturates at 16 bits. A *group* is 4 neighbouring bytes of the left operand under all columns of a
// tile; within it each column has two *slots*, the pairs that the instruction adds. A pair is safe as it stands when
//   x_high * (sum of its positive weights) <= 32767  and  x_high * (sum of its negative weights) >= -32768
// and any pair can be made safe by complementing one of its two bytes:
//   x * w = 255 * w + (255 - x) * -w
// turns a pair of equal signs into one of opposite signs, whose sum never leaves 16 bits. 255 * w is a constant and goes
// into the bias; 255 - x is x ^ 0xFF, one vpxor with a mask that lies beside the weights. Complementing bytes also lets
// two groups add up in 16 bits before they are widened, where the weights of each slot can be split into two sides of at
// most 128: that saves as many instructions as the masks cost.
//
// Decided from the weights alone, when they are packed: results never depend on luck. docs/design/0002-exact-avx2.md
// has the measurements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace halftone::kernels {

// What a step of the kernels' inner loop covers: groups that add up in 16 bits, as they stand or with masks.
enum class StepKind { Four, Two, One, TwoMasked, OneMasked };
inline constexpr int kStepKinds = 5;
constexpr int groups_of(StepKind kind) {
  return kind == StepKind::Four ? 4 : kind == StepKind::Two || kind == StepKind::TwoMasked ? 2 : 1;
}
constexpr bool is_masked(StepKind kind) { return kind == StepKind::TwoMasked || kind == StepKind::OneMasked; }

inline constexpr int kMaxLanes = 16;  // columns of a tile
inline constexpr int kGroup = 4;      // bytes of a group

// The weights of one group: [lane][byte], zeros in lanes that have no column.
struct StepGroup {
  int32_t offset = 0;  // of its first byte in the tap
  int8_t weights[kMaxLanes][kGroup] = {};
};

// One step: up to four groups with the weights that the kernel multiplies with, and which bytes are complemented.
struct Step {
  StepKind kind;
  StepGroup groups[4];
  bool complemented[4][kMaxLanes][kGroup] = {};
};

// Steps that together multiply all groups, ordered by kind. A group of which a pair is (-128, -128) becomes two steps
// of half its weights each; groups of zeros have none. Deterministic. Cost: linear in the number of groups.
std::vector<Step> plan_steps(const std::vector<StepGroup>& groups, int lanes, int32_t x_high);

}  // namespace halftone::kernels
