#include "halftone/kernels/words_avx2.h"

#include "halftone/kernels/gemm/gemm_wide.h"

namespace halftone::kernels {
namespace {

struct Dot {
  static HT_INLINE Int dot(Int acc, Int words, Int weights) { return _mm256_dpwssd_avx_epi32(acc, words, weights); }
};

}  // namespace

const GemmKernel gemm_wide_avxvnni = wide_kernel<Dot, 8>("avx_vnni_wide", Isa::AvxVnni);

}  // namespace halftone::kernels
