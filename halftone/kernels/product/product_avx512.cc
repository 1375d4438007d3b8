#include "halftone/kernels/vectors_avx512.h"
// Computes with the names above.
#include "halftone/kernels/product/product_vectors.h"

namespace halftone::kernels {

void product_avx512(const ProductProblem& problem, const PairRows& rows, const uint8_t* a, const void* b, uint8_t* to) {
  product_rows(problem, rows, a, b, to);
}

}  // namespace halftone::kernels
