#include "halftone/kernels/gemm/dot_avx512vnni.h"
#include "halftone/kernels/gemm/gemm_vnni_kernel.h"

namespace halftone::kernels {

const GemmKernel gemm_avx512vnni = {"avx512_vnni",
                                    Isa::Avx512Vnni,
                                    refuse,
                                    packed_bytes,
                                    pack,
                                    vnni_column_blocks,
                                    vnni_first_column,
                                    vnni_scratch_bytes,
                                    24,
                                    run_result<float_avx512vnni, dyadic_avx512vnni, real_avx512vnni>};

}  // namespace halftone::kernels
