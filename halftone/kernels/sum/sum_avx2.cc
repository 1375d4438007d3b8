#include "halftone/kernels/vectors_avx2.h"
// Computes with the names above.
#include "halftone/kernels/sum/sum_vectors.h"

namespace halftone::kernels {

void sum_avx2(const SumProblem& problem, const PairRows& rows, const uint8_t* a, const void* b, uint8_t* to) {
  sum_rows(problem, rows, a, b, to);
}

}  // namespace halftone::kernels
