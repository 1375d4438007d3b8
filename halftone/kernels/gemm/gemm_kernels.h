// Declares the kernels of kernels.def.
#pragma once

#include "halftone/kernels/gemm/gemm.h"

namespace halftone::kernels {

#define HALFTONE_GEMM_KERNEL(name) extern const GemmKernel name;
#include "halftone/kernels/gemm/kernels.def"
#undef HALFTONE_GEMM_KERNEL

}  // namespace halftone::kernels
