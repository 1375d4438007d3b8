#include "halftone/kernels/dequantize/dequantize.h"

namespace halftone::kernels {

void dequantize_portable(const DequantizeProblem& problem, const Rows& rows, const uint8_t* from, float* to) {
  const Rows merged = rows.merged();
  for (int64_t r = 0; r < merged.count; ++r) {
    const uint8_t* row = from + r * merged.from_stride;
    float* target = to + r * merged.to_stride;
    for (int64_t c = 0; c < merged.columns; ++c) {
      target[c] = problem.scale * static_cast<float>(int32_t{row[c]} - problem.zero_point);
    }
  }
}

}  // namespace halftone::kernels
