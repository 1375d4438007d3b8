#include "halftone/kernels/transpose/transpose.h"

namespace halftone::kernels {

#define HALFTONE_TRANSPOSE_KERNEL(name, isa, refuse) TransposeFunction name;
#include "halftone/kernels/transpose/kernels.def"
#undef HALFTONE_TRANSPOSE_KERNEL

namespace {

const char* none(const Rows&) { return ""; }

const char* interleaves(const Rows& rows) {
  return rows.count >= 2 && rows.count <= 4 && rows.to_stride == rows.count ? "" : "made for 2 to 4 rows without gaps";
}

const char* deinterleaves(const Rows& rows) {
  return rows.columns >= 2 && rows.columns <= 4 && rows.from_stride == rows.columns
             ? ""
             : "made for 2 to 4 columns without gaps";
}

}  // namespace

std::span<const TransposeKernel> transpose_kernels() {
  static constexpr TransposeKernel kernels[] = {
#define HALFTONE_TRANSPOSE_KERNEL(name, isa, refuse) {#name, Isa::isa, refuse, name},
#include "halftone/kernels/transpose/kernels.def"
#undef HALFTONE_TRANSPOSE_KERNEL
  };
  return kernels;
}

Choice<TransposeKernel> choose_transpose(const Rows& rows) {
  return choose<TransposeKernel>(transpose_kernels(), rows);
}

}  // namespace halftone::kernels
