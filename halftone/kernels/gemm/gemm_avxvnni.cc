#include "halftone/kernels/gemm/dot_avxvnni.h"
#include "halftone/kernels/gemm/gemm_vnni.h"
#include "halftone/kernels/gemm/gemm_vnni_kernel.h"

namespace halftone::kernels {

const GemmKernel gemm_avxvnni = {
    "avx_vnni",
    Isa::AvxVnni,
    refuse,
    packed_bytes,
    pack,
    vnni_column_blocks,
    vnni_first_column,
    vnni_scratch_bytes,
    24,
    run_result<blocks<ToCodes<FloatColumns>>, blocks<ToCodes<DyadicColumns>>, blocks<ToReal>>};

}  // namespace halftone::kernels
