#include "halftone/kernels/vectors_avx2.h"

// Computes with the names above.
#include "halftone/kernels/peak/peak_vectors.h"

namespace halftone::kernels {

void peak_pmaddubsw_256(int64_t rounds) { pmaddubsw(rounds); }
void peak_pmaddwd_256(int64_t rounds) { pmaddwd(rounds); }

void peak_fma_256(int64_t rounds) {
  repeat<__m256>(
      rounds, [](__m256 acc, __m256 x, __m256 y) __attribute__((always_inline)) { return _mm256_fmadd_ps(x, y, acc); });
}

}  // namespace halftone::kernels
