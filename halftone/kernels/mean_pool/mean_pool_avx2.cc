#include "halftone/kernels/vectors_avx2.h"
// Computes with the names above.
#include "halftone/kernels/mean_pool/mean_pool_vectors.h"

namespace halftone::kernels {

void mean_pool_avx2(const MeanProblem& problem, const Factor& factor, const BoxRow& row, const uint8_t* from,
                    uint8_t* to) {
  mean_pool_row(problem, factor, row, from, to);
}

}  // namespace halftone::kernels
