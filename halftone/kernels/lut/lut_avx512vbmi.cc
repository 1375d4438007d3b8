#include "halftone/kernels/vectors_avx512.h"
// Computes with the names above.
#include "halftone/kernels/byte_map_vectors.h"
#include "halftone/kernels/lut/lut.h"

namespace halftone::kernels {

void lut_avx512vbmi(const uint8_t* table, const Rows& rows, const uint8_t* from, uint8_t* to) {
  const __m512i t0 = Vectors::load(table), t1 = Vectors::load(table + 64);
  const __m512i t2 = Vectors::load(table + 128), t3 = Vectors::load(table + 192);
  map_bytes(rows, from, to, [&](__m512i x) {
    // Both halves of the table by the lower seven bits; the highest one decides.
    const __m512i low = _mm512_permutex2var_epi8(t0, x, t1), high = _mm512_permutex2var_epi8(t2, x, t3);
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(x), low, high);
  });
}

}  // namespace halftone::kernels
