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

std::span<const GemmKernel> wide_gemm_kernels() {
  static const GemmKernel kernels[] = {
#define HALFTONE_GEMM_KERNEL(name) name,
#include "halftone/kernels/gemm/wide_kernels.def"
#undef HALFTONE_GEMM_KERNEL
  };
  return kernels;
}

Choice<GemmKernel> choose_gemm(const GemmProblem& problem) {
  return choose<GemmKernel>(problem.wide ? wide_gemm_kernels() : gemm_kernels(), problem);
}

const GemmKernel* find_gemm(std::string_view name) {
  const GemmKernel* narrow = find_kernel(gemm_kernels(), name);
  return narrow != nullptr ? narrow : find_kernel(wide_gemm_kernels(), name);
}

}  // namespace halftone::kernels
