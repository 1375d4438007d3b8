#include "halftone/kernels/lut/lut.h"

namespace halftone::kernels {

void lut_portable(const uint8_t* table, const Rows& rows, const uint8_t* from, uint8_t* to) {
  const Rows merged = rows.merged();
  for (int64_t r = 0; r < merged.count; ++r) {
    const uint8_t* row = from + r * merged.from_stride;
    uint8_t* target = to + r * merged.to_stride;
    for (int64_t c = 0; c < merged.columns; ++c) target[c] = table[row[c]];
  }
}

}  // namespace halftone::kernels
