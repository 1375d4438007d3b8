#include "halftone/kernels/mean_pool/mean_pool.h"

namespace halftone::kernels {

#define HALFTONE_MEAN_POOL_KERNEL(name, isa, refuse) MeanPoolFunction name;
#include "halftone/kernels/mean_pool/kernels.def"
#undef HALFTONE_MEAN_POOL_KERNEL

namespace {

const char* none(const MeanProblem&) { return ""; }

}  // namespace

std::span<const MeanPoolKernel> mean_pool_kernels() {
  static constexpr MeanPoolKernel kernels[] = {
#define HALFTONE_MEAN_POOL_KERNEL(name, isa, refuse) {#name, Isa::isa, refuse, name},
#include "halftone/kernels/mean_pool/kernels.def"
#undef HALFTONE_MEAN_POOL_KERNEL
  };
  return kernels;
}

Choice<MeanPoolKernel> choose_mean_pool(const MeanProblem& problem) {
  return choose<MeanPoolKernel>(mean_pool_kernels(), problem);
}

void MeanPool::run(const uint8_t* from, uint8_t* to, int64_t begin, int64_t end) const {
  WindowWalk walk(window, begin, end);
  for (WindowRun part; walk.next(part);) {
    const int64_t taps = part.row.box.taps(), count = include_pad ? part.padded_taps : taps;
    // A window in the padding alone sums to 0, whatever it is divided by.
    const Factor& factor = factors[static_cast<size_t>(taps == 0 ? 1 : count)];
    kernel->run(problem, factor, part.row, from + part.from, to + part.to);
  }
}

}  // namespace halftone::kernels
