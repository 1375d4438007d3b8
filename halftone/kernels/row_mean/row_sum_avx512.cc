#include "halftone/kernels/vectors_avx512.h"
// Computes with the names above.
#include "halftone/kernels/row_mean/row_sum_vectors.h"

namespace halftone::kernels {

int64_t row_sum_avx512(const uint8_t* row, int64_t columns) { return row_sum(row, columns); }

}  // namespace halftone::kernels
