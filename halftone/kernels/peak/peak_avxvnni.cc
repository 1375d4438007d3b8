#include "halftone/kernels/peak/peak_loop.h"

namespace halftone::kernels {

void peak_vpdpbusd_256(int64_t rounds) {
  repeat<__m256i>(
      rounds, [](__m256i acc, __m256i x, __m256i y)
                  __attribute__((always_inline)) { return _mm256_dpbusd_avx_epi32(acc, x, y); });
}

}  // namespace halftone::kernels
