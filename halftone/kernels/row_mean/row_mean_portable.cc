#include "halftone/kernels/row_mean/row_mean.h"

#include <numeric>

namespace halftone::kernels {

int64_t row_sum_portable(const uint8_t* row, int64_t columns) {
  return std::accumulate(row, row + columns, int64_t{0});
}

}  // namespace halftone::kernels
