// Packing for the vectorized kernels.
#pragma once

#include "halftone/kernels/depthwise/depthwise.h"
#include "halftone/kernels/depthwise/depthwise_blob.h"

namespace halftone::kernels {

// What a kernel's instructions ask for.
struct DepthwiseLayout {
  int32_t lanes;            // of its widest vectors: 32 or 64
  DepthwiseFormat any;      // for windows of any size
  DepthwiseFormat for_3x3;  // for those that have a way of their own
};

const char* refuse_depthwise(const DepthwiseLayout& layout, const DepthwiseProblem& problem);
size_t packed_depthwise_bytes(const DepthwiseLayout& layout, const DepthwiseProblem& problem);
void pack_depthwise(const DepthwiseLayout& layout, const DepthwiseProblem& problem, std::byte* to);

}  // namespace halftone::kernels
