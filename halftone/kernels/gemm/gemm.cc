#include "halftone/kernels/gemm/gemm.h"

#include "halftone/kernels/gemm/gemm_kernels.h"

namespace halftone::kernels {

std::span<const GemmKernel> gemm_kernels() {
  static const GemmKernel kernels[] = {
#define HALFTONE_GEMM_KERNEL(name) name,
#include "halftone/kernels/gemm/kernels.def"
#undef HALFTONE_GEMM_KERNEL
  };
  return kernels;
}

Choice<GemmKernel> choose_gemm(const GemmProblem& problem) { return choose<GemmKernel>(gemm_kernels(), problem); }

const GemmKernel* find_gemm(std::string_view name) {
  for (const GemmKernel& kernel : gemm_kernels()) {
    if (kernel.name == name) return has_isa(kernel.isa) ? &kernel : nullptr;
  }
  return nullptr;
}

}  // namespace halftone::kernels
