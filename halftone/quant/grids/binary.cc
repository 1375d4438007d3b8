#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/quant/grid.h"

namespace halftone {

// min over scale and signs of sum (w - scale * sign)^2 is at sign(w) and the mean of |w|.
void append_binary(const QuantSpec&, const Slice& slice, QuantParams& params) {
  if (slice.values.empty()) {
    fail(ErrorCode::InvalidArgument, "quantization",
         "the grid binary requires numbers whose mean magnitude is its scale");
  }
  double sum = 0;
  for (float w : slice.values) sum += std::abs(double{w});
  const double mean = sum / static_cast<double>(slice.values.size());
  params.levels = {-1.0F, 1.0F};
  // There is no 0: all-zero weights come as close as a scale can whose products with other scales stay normal.
  params.scale.push_back(std::max(static_cast<float>(mean), std::ldexp(1.0F, -100)));
  params.zero_point.push_back(0);
}

}  // namespace halftone
