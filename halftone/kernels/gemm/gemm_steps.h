// Which steps (gemm_stepped_blob.h) multiply a set of weights: from the weights alone, so that results never depend on
// luck.
#pragma once

#include <cstdint>
#include <vector>

#include "halftone/kernels/gemm/gemm_stepped_blob.h"

namespace halftone::kernels {

struct StepGroup {
  uint32_t offset = 0;                      // of its first byte within a row
  int8_t weights[kMaxLanes * kGroup] = {};  // [lane][byte], zeros in lanes that have no column
};

struct Step {
  StepKind kind;
  int32_t groups[4];  // positions of the first groups_of(kind)
};

// Steps that together multiply all groups once, sorted by kind. Groups of zeros get none. A group with a pair
// (-128, -128), which no complement helps, is halved: one half takes its place, the other is appended to `groups`.
// `lanes` is 8 or 16. Deterministic. Cost: linear in the number of groups.
std::vector<Step> plan_steps(std::vector<StepGroup>& groups, int lanes, int32_t x_high);

// A group as the kernel multiplies it: where `mask` is 0xFF the left operand is complemented and the weight negated.
struct DealtGroup {
  uint32_t offset = 0;
  int8_t weights[kMaxLanes * kGroup];
  uint8_t mask[kMaxLanes * kGroup];
};

// Writes the step's groups; those of masked steps so that all partial sums of each slot stay within 16 bits. Adds to
// folded[lane] what complements leave out: 255 * w.
void deal_weights(const Step& step, const std::vector<StepGroup>& groups, int lanes, DealtGroup* dealt,
                  uint32_t* folded);

}  // namespace halftone::kernels
