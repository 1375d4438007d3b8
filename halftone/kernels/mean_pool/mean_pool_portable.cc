#include "halftone/kernels/mean_pool/mean_pool.h"

#include <algorithm>

namespace halftone::kernels {

void mean_pool_portable(const MeanProblem& problem, const Factor& factor, const BoxRow& row, const uint8_t* from,
                        uint8_t* to) {
  // Some channels at a time, so that their sums stay in fast memory.
  constexpr int64_t kChannels = 64;
  const auto offset = static_cast<int32_t>(row.box.taps() * problem.zero_point);
  for (int64_t j = 0; j < row.pixels; ++j) {
    for (int64_t c0 = 0; c0 < row.channels; c0 += kChannels) {
      const auto channels = static_cast<size_t>(std::min(kChannels, row.channels - c0));
      std::array<int32_t, kChannels> sums{};
      for_each_tap(row.box, from + j * row.from_step + c0, [&](const uint8_t* tap) {
        for (size_t c = 0; c < channels; ++c) sums[c] += tap[c];
      });
      uint8_t* target = to + j * row.to_step + c0;
      for (size_t c = 0; c < channels; ++c) {
        target[c] = static_cast<uint8_t>(requantize(problem.mode, sums[c] - offset, factor, problem.to));
      }
    }
  }
}

}  // namespace halftone::kernels
