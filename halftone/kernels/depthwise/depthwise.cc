#include "halftone/kernels/depthwise/depthwise.h"

#include "halftone/kernels/depthwise/depthwise_kernels.h"

namespace halftone::kernels {

std::span<const DepthwiseKernel> depthwise_kernels() {
  static const DepthwiseKernel kernels[] = {
#define HALFTONE_DEPTHWISE_KERNEL(name) name,
#include "halftone/kernels/depthwise/kernels.def"
#undef HALFTONE_DEPTHWISE_KERNEL
  };
  return kernels;
}

Choice<DepthwiseKernel> choose_depthwise(const DepthwiseProblem& problem) {
  return choose<DepthwiseKernel>(depthwise_kernels(), problem);
}

const DepthwiseKernel* find_depthwise(std::string_view name) {
  for (const DepthwiseKernel& kernel : depthwise_kernels()) {
    if (kernel.name == name) return has_isa(kernel.isa) ? &kernel : nullptr;
  }
  return nullptr;
}

}  // namespace halftone::kernels
