#include "halftone/kernels/max_pool/max_pool.h"

#include <algorithm>
#include <cstring>

namespace halftone::kernels {

void max_pool_portable(const BoxRow& row, const uint8_t* from, uint8_t* to) {
  const auto channels = static_cast<size_t>(row.channels);
  for (int64_t j = 0; j < row.pixels; ++j) {
    uint8_t* best = to + j * row.to_step;
    std::memset(best, 0, channels);
    for_each_tap(row.box, from + j * row.from_step, [&](const uint8_t* tap) {
      for (size_t c = 0; c < channels; ++c) best[c] = std::max(best[c], tap[c]);
    });
  }
}

}  // namespace halftone::kernels
