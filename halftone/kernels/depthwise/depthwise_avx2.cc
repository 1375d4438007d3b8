#include "halftone/kernels/depthwise/depthwise_columns.h"
#include "halftone/kernels/depthwise/depthwise_run.h"

namespace halftone::kernels {

void run_depthwise_avx2(const std::byte* packed, const DepthwiseRun& run) { run_columns<Pairs, Lanes32>(packed, run); }

}  // namespace halftone::kernels
