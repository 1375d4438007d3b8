#include "halftone/kernels/dequantize/dequantize.h"

namespace halftone::kernels {

#define HALFTONE_DEQUANTIZE_KERNEL(name, isa, refuse) DequantizeFunction name;
#include "halftone/kernels/dequantize/kernels.def"
#undef HALFTONE_DEQUANTIZE_KERNEL

namespace {

const char* none(const DequantizeProblem&) { return ""; }

}  // namespace

std::span<const DequantizeKernel> dequantize_kernels() {
  static constexpr DequantizeKernel kernels[] = {
#define HALFTONE_DEQUANTIZE_KERNEL(name, isa, refuse) {#name, Isa::isa, refuse, name},
#include "halftone/kernels/dequantize/kernels.def"
#undef HALFTONE_DEQUANTIZE_KERNEL
  };
  return kernels;
}

Choice<DequantizeKernel> choose_dequantize(const DequantizeProblem& problem) {
  return choose<DequantizeKernel>(dequantize_kernels(), problem);
}

}  // namespace halftone::kernels
