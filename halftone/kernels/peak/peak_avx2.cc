#include "halftone/kernels/peak/peak_loop.h"

namespace halftone::kernels {

void peak_pmaddubsw_256(int64_t rounds) {
  __m256i ones = _mm256_set1_epi16(1);
  conceal(ones);
  repeat<__m256i>(
      rounds, [ones](__m256i acc, __m256i x, __m256i y) __attribute__((always_inline)) {
        return _mm256_add_epi32(acc, _mm256_madd_epi16(_mm256_maddubs_epi16(x, y), ones));
      });
}

void peak_pmaddwd_256(int64_t rounds) {
  repeat<__m256i>(
      rounds, [](__m256i acc, __m256i x, __m256i y)
                  __attribute__((always_inline)) { return _mm256_add_epi32(acc, _mm256_madd_epi16(x, y)); });
}

void peak_fma_256(int64_t rounds) {
  repeat<__m256>(
      rounds, [](__m256 acc, __m256 x, __m256 y) __attribute__((always_inline)) { return _mm256_fmadd_ps(x, y, acc); });
}

}  // namespace halftone::kernels
