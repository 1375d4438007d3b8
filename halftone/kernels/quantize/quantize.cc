#include "halftone/kernels/quantize/quantize.h"

namespace halftone::kernels {

#define HALFTONE_QUANTIZE_KERNEL(name, isa, refuse) QuantizeFunction name;
#include "halftone/kernels/quantize/kernels.def"
#undef HALFTONE_QUANTIZE_KERNEL

namespace {

const char* none(const QuantizeProblem&) { return ""; }

}  // namespace

std::span<const QuantizeKernel> quantize_kernels() {
  static constexpr QuantizeKernel kernels[] = {
#define HALFTONE_QUANTIZE_KERNEL(name, isa, refuse) {#name, Isa::isa, refuse, name},
#include "halftone/kernels/quantize/kernels.def"
#undef HALFTONE_QUANTIZE_KERNEL
  };
  return kernels;
}

Choice<QuantizeKernel> choose_quantize(const QuantizeProblem& problem) {
  return choose<QuantizeKernel>(quantize_kernels(), problem);
}

}  // namespace halftone::kernels
