#include "halftone/kernels/words_avx512.h"

#include "halftone/kernels/gemm/gemm_wide.h"

namespace halftone::kernels {
namespace {

struct Dot {
  static HT_INLINE Int dot(Int acc, Int words, Int weights) { return _mm512_dpwssd_epi32(acc, words, weights); }
};

}  // namespace

const GemmKernel gemm_wide_avx512vnni = wide_kernel<Dot, 12>("avx512_vnni_wide", Isa::Avx512Vnni);

}  // namespace halftone::kernels
