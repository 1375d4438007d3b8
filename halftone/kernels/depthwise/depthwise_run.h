// The vectorized kernels' code, by instruction-set level. Blobs are depthwise_pack.h's.
#pragma once

#include "halftone/kernels/depthwise/depthwise.h"

namespace halftone::kernels {

void run_depthwise_avx2(const std::byte* packed, const DepthwiseRun& run);
void run_depthwise_avxvnni(const std::byte* packed, const DepthwiseRun& run);
void run_depthwise_avx512(const std::byte* packed, const DepthwiseRun& run);
void run_depthwise_avx512vnni(const std::byte* packed, const DepthwiseRun& run);

}  // namespace halftone::kernels
