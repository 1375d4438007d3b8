#include "halftone/kernels/words_avx512.h"

#include "halftone/kernels/gemm/gemm_wide.h"

namespace halftone::kernels {

const GemmKernel gemm_wide_avx512 = wide_kernel<MaddAndAdd, 12>("avx512_wide", Isa::Avx512);

}  // namespace halftone::kernels
