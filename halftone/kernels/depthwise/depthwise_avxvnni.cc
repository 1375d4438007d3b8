#include "halftone/kernels/depthwise/depthwise_run.h"
#include "halftone/kernels/depthwise/depthwise_vectors.h"

namespace halftone::kernels {

void run_depthwise_avxvnni(const std::byte* packed, const DepthwiseRun& run) {
  run_depthwise<Quads, Quads, Lanes32>(packed, run);
}

}  // namespace halftone::kernels
