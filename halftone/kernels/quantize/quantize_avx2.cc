#include "halftone/kernels/vectors_avx2.h"
// Computes with the names above.
#include "halftone/kernels/quantize/quantize_vectors.h"

namespace halftone::kernels {

void quantize_avx2(const QuantizeProblem& problem, const Rows& rows, const float* from, uint8_t* to) {
  quantize_rows(problem, rows, from, to);
}

}  // namespace halftone::kernels
