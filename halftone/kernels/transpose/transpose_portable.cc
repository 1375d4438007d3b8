#include "halftone/kernels/transpose/transpose.h"

#include <algorithm>

namespace halftone::kernels {

void transpose_portable(const Rows& rows, const uint8_t* from, uint8_t* to) {
  // Tiles, so that every line of memory is used up while it is near.
  constexpr int64_t kTile = 32;
  for (int64_t r0 = 0; r0 < rows.count; r0 += kTile) {
    const int64_t r1 = std::min(r0 + kTile, rows.count);
    for (int64_t c = 0; c < rows.columns; ++c) {
      for (int64_t r = r0; r < r1; ++r) to[c * rows.to_stride + r] = from[r * rows.from_stride + c];
    }
  }
}

}  // namespace halftone::kernels
