// Declares the kernels of kernels.def and wide_kernels.def.
#pragma once

#include "halftone/kernels/gemm/gemm.h"

namespace halftone::kernels {

#define HALFTONE_GEMM_KERNEL(name) extern const GemmKernel name;
#include "halftone/kernels/gemm/kernels.def"
#include "halftone/kernels/gemm/wide_kernels.def"
#undef HALFTONE_GEMM_KERNEL

}  // namespace halftone::kernels
