#include "halftone/kernels/vectors_avx2.h"

// Computes with the names above.
#include "halftone/kernels/matmul/matmul_pairs.h"

namespace halftone::kernels {

void matmul_avx2(const MatMulProblem& problem, const MatMulRun& run) { matmul(problem, run); }

}  // namespace halftone::kernels
