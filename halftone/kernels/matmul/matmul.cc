#include "halftone/kernels/matmul/matmul.h"

#include "halftone/kernels/matmul/matmul_scratch.h"

namespace halftone::kernels {

#define HALFTONE_MATMUL_KERNEL(name, isa, scratch) void name(const MatMulProblem&, const MatMulRun&);
#include "halftone/kernels/matmul/kernels.def"
#undef HALFTONE_MATMUL_KERNEL

namespace {

const char* accept(const MatMulProblem&) { return ""; }

size_t none(const MatMulProblem&) { return 0; }

template <int64_t kLanes>
size_t packed(const MatMulProblem& problem) {
  const MatMulScratch scratch = matmul_scratch(problem, kLanes);
  return static_cast<size_t>(scratch.a_bytes + scratch.b_bytes);
}
constexpr auto packed_512 = packed<16>, packed_256 = packed<8>;

}  // namespace

std::span<const MatMulKernel> matmul_kernels() {
  static constexpr MatMulKernel kernels[] = {
#define HALFTONE_MATMUL_KERNEL(name, isa, scratch) {#name, Isa::isa, accept, scratch, name},
#include "halftone/kernels/matmul/kernels.def"
#undef HALFTONE_MATMUL_KERNEL
  };
  return kernels;
}

Choice<MatMulKernel> choose_matmul(const MatMulProblem& problem) {
  return choose<MatMulKernel>(matmul_kernels(), problem);
}

}  // namespace halftone::kernels
