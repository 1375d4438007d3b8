#include "halftone/kernels/vectors_avx512.h"
// Computes with the names above.
#include "halftone/kernels/byte_map_vectors.h"
#include "halftone/kernels/lut/lut.h"

namespace halftone::kernels {

void lut_clamp_avx512(const uint8_t* table, const Rows& rows, const uint8_t* from, uint8_t* to) {
  const Vectors::Int low = Vectors::all8(table[0]), high = Vectors::all8(table[255]);
  map_bytes(rows, from, to, [&](Vectors::Int x) { return Vectors::min8(Vectors::max8(x, low), high); });
}

}  // namespace halftone::kernels
