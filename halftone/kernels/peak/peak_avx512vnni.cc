#include "halftone/kernels/peak/peak_loop.h"

namespace halftone::kernels {

void peak_vpdpbusd_512(int64_t rounds) {
  repeat<__m512i>(
      rounds,
      [](__m512i acc, __m512i x, __m512i y) __attribute__((always_inline)) { return _mm512_dpbusd_epi32(acc, x, y); });
}

}  // namespace halftone::kernels
