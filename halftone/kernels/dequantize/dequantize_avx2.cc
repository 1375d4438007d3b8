#include "halftone/kernels/vectors_avx2.h"
// Computes with the names above.
#include "halftone/kernels/dequantize/dequantize_vectors.h"

namespace halftone::kernels {

void dequantize_avx2(const DequantizeProblem& problem, const Rows& rows, const uint8_t* from, float* to) {
  dequantize_rows(problem, rows, from, to);
}

}  // namespace halftone::kernels
