#include "halftone/kernels/vectors_avx512.h"

// Computes with the names above.
#include "halftone/kernels/peak/peak_vectors.h"

namespace halftone::kernels {

void peak_pmaddubsw_512(int64_t rounds) { pmaddubsw(rounds); }
void peak_pmaddwd_512(int64_t rounds) { pmaddwd(rounds); }

void peak_fma_512(int64_t rounds) {
  repeat<__m512>(
      rounds, [](__m512 acc, __m512 x, __m512 y) __attribute__((always_inline)) { return _mm512_fmadd_ps(x, y, acc); });
}

}  // namespace halftone::kernels
