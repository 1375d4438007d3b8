#include "halftone/kernels/vectors_avx2.h"
// Computes with the names above.
#include "halftone/kernels/max_pool/max_pool_vectors.h"

namespace halftone::kernels {

void max_pool_avx2(const BoxRow& row, const uint8_t* from, uint8_t* to) { max_pool_row(row, from, to); }

}  // namespace halftone::kernels
