#include "halftone/kernels/depthwise/depthwise_run.h"
#include "halftone/kernels/depthwise/depthwise_vectors.h"

namespace halftone::kernels {

void run_depthwise_avx512(const std::byte* packed, const DepthwiseRun& run) {
  run_depthwise<Pairs, Flips, Lanes64>(packed, run);
}

}  // namespace halftone::kernels
