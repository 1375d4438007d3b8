#include "halftone/kernels/product/product.h"

namespace halftone::kernels {

#define HALFTONE_PRODUCT_KERNEL(name, isa, refuse) ProductFunction name;
#include "halftone/kernels/product/kernels.def"
#undef HALFTONE_PRODUCT_KERNEL

namespace {

const char* none(const ProductProblem&) { return ""; }

const char* vectors(const ProductProblem& problem) {
  if (problem.a_step != 1) return "the first operand has gaps or repeats along rows";
  if (problem.b_step != 1 && problem.b_step != 0) return "the second operand has gaps along rows";
  return "";
}

}  // namespace

std::span<const ProductKernel> product_kernels() {
  static constexpr ProductKernel kernels[] = {
#define HALFTONE_PRODUCT_KERNEL(name, isa, refuse) {#name, Isa::isa, refuse, name},
#include "halftone/kernels/product/kernels.def"
#undef HALFTONE_PRODUCT_KERNEL
  };
  return kernels;
}

Choice<ProductKernel> choose_product(const ProductProblem& problem) {
  return choose<ProductKernel>(product_kernels(), problem);
}

}  // namespace halftone::kernels
