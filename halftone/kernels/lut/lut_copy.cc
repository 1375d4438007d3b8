#include <cstring>

#include "halftone/kernels/lut/lut.h"

namespace halftone::kernels {

void lut_copy(const uint8_t*, const Rows& rows, const uint8_t* from, uint8_t* to) {
  if (from == to) return;
  const Rows merged = rows.merged();
  for (int64_t r = 0; r < merged.count; ++r) {
    std::memcpy(to + r * merged.to_stride, from + r * merged.from_stride, static_cast<size_t>(merged.columns));
  }
}

}  // namespace halftone::kernels
