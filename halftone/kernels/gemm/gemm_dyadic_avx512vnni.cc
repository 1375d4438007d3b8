#include "halftone/kernels/gemm/dot_avx512vnni.h"
#include "halftone/kernels/gemm/gemm_vnni.h"

namespace halftone::kernels {

void dyadic_avx512vnni(const std::byte* packed, const GemmRun& run) { blocks<ToCodes<DyadicColumns>>(packed, run); }

}  // namespace halftone::kernels
