#include "halftone/kernels/quantize/quantize.h"

#include <cmath>

namespace halftone::kernels {

void quantize_portable(const QuantizeProblem& problem, const Rows& rows, const float* from, uint8_t* to) {
  const int32_t zero_point = problem.grid.zero_point;
  const auto least = static_cast<float>(problem.grid.low - zero_point);
  const auto most = static_cast<float>(problem.grid.high - zero_point);
  const Rows merged = rows.merged();
  for (int64_t r = 0; r < merged.count; ++r) {
    const float* row = from + r * merged.from_stride;
    uint8_t* target = to + r * merged.to_stride;
    for (int64_t c = 0; c < merged.columns; ++c) {
      float steps = row[c] / problem.scale;
      steps = steps == steps ? steps : 0.0F;
      steps = steps < least ? least : steps;
      steps = steps > most ? most : steps;
      target[c] = static_cast<uint8_t>(static_cast<int32_t>(std::rint(steps)) + zero_point);
    }
  }
}

}  // namespace halftone::kernels
