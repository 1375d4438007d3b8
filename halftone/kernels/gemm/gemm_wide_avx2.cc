#include "halftone/kernels/words_avx2.h"

#include "halftone/kernels/gemm/gemm_wide.h"

namespace halftone::kernels {

const GemmKernel gemm_wide_avx2 = wide_kernel<MaddAndAdd, 8>("avx2_wide", Isa::Avx2);

}  // namespace halftone::kernels
