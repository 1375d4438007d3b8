// Packing for the vectorized kernels.
#pragma once

#include "halftone/kernels/depthwise/depthwise.h"

namespace halftone::kernels {

// What a kernel's instructions ask for (depthwise_blob.h).
struct DepthwiseLayout {
  int32_t lanes;       // of its widest vectors: 32 or 64
  int32_t group_rows;  // 2 or 4
};

const char* refuse_depthwise(const DepthwiseLayout& layout, const DepthwiseProblem& problem);
size_t packed_depthwise_bytes(const DepthwiseLayout& layout, const DepthwiseProblem& problem);
void pack_depthwise(const DepthwiseLayout& layout, const DepthwiseProblem& problem, std::byte* to);

}  // namespace halftone::kernels
