#include "halftone/kernels/vectors_avx512.h"

#include "halftone/kernels/gemm/gemm_kernels.h"
#include "halftone/kernels/gemm/gemm_stepped.h"

namespace halftone::kernels {

const GemmKernel gemm_avx512 = {
    "avx512",      Isa::Avx512, refuse,      packed_bytes,    pack, tiled_column_blocks, tiled_first_column,
    scratch_bytes, kMostRows,   run_stepped, stepped_describe};

}  // namespace halftone::kernels
