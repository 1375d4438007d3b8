#include "halftone/kernels/vectors_avx2.h"

namespace halftone::kernels {
namespace {

struct Pairs {
  static HT_INLINE Vectors::Int add(Vectors::Int acc, Vectors::Int a, Vectors::Int b) {
    return _mm256_dpwssd_avx_epi32(acc, a, b);
  }
};

}  // namespace
}  // namespace halftone::kernels

// Computes with the names above.
#include "halftone/kernels/matmul/matmul_vectors.h"

namespace halftone::kernels {

void matmul_avxvnni(const MatMulProblem& problem, const MatMulRun& run) { matmul(problem, run); }

}  // namespace halftone::kernels
