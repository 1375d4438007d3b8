#include "halftone/kernels/peak/peak_loop.h"

namespace halftone::kernels {

void peak_pmaddubsw_512(int64_t rounds) {
  __m512i ones = _mm512_set1_epi16(1);
  conceal(ones);
  repeat<__m512i>(
      rounds, [ones](__m512i acc, __m512i x, __m512i y) __attribute__((always_inline)) {
        return _mm512_add_epi32(acc, _mm512_madd_epi16(_mm512_maddubs_epi16(x, y), ones));
      });
}

void peak_pmaddwd_512(int64_t rounds) {
  repeat<__m512i>(
      rounds, [](__m512i acc, __m512i x, __m512i y)
                  __attribute__((always_inline)) { return _mm512_add_epi32(acc, _mm512_madd_epi16(x, y)); });
}

void peak_fma_512(int64_t rounds) {
  repeat<__m512>(
      rounds, [](__m512 acc, __m512 x, __m512 y) __attribute__((always_inline)) { return _mm512_fmadd_ps(x, y, acc); });
}

}  // namespace halftone::kernels
