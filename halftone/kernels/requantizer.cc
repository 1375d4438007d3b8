#include "halftone/kernels/requantizer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace halftone::kernels {
namespace {

// Sums from this one on give at least 2^16 steps, with which every grid saturates. Larger ones need not be told apart,
// and steps of such sums fit 32 bits.
int32_t largest_sum(Dyadic m) {
  constexpr int32_t kMost = std::numeric_limits<int32_t>::max();
  const int64_t multiplier = std::abs(int64_t{m.multiplier});
  if (multiplier == 0 || m.shift + 16 >= 62) return kMost;
  return static_cast<int32_t>(std::min<int64_t>((int64_t{1} << (m.shift + 16)) / multiplier + 1, kMost));
}

}  // namespace

void pack_requantizer(RequantizeMode mode, const float* multipliers, int64_t lanes, std::byte* to) {
  const auto row_bytes = static_cast<size_t>(lanes) * 4;
  if (mode == RequantizeMode::Float) {
    std::memcpy(to, multipliers, row_bytes);
    return;
  }
  auto* words = reinterpret_cast<int32_t*>(to);
  for (int64_t i = 0; i < lanes; ++i) {
    const Dyadic m = make_dyadic(multipliers[i]);
    words[i] = m.multiplier;
    const int32_t high_shift = std::max(m.shift - 32, 1);
    words[lanes + i] = int32_t{1} << (high_shift - 1);
    words[2 * lanes + i] = high_shift;
    // AVX2 can't shift 64 bits with their sign. With 2^63 added beforehand the sum is positive; 2^63 >> shift has to go
    // afterwards, of which the low 32 bits are enough as the difference fits them.
    const uint64_t bias = uint64_t{1} << 63;
    words[3 * lanes + i] = static_cast<int32_t>(static_cast<uint32_t>(bias >> m.shift));
    words[4 * lanes + i] = largest_sum(m);
    const auto shift = static_cast<uint64_t>(m.shift), summand = bias + (uint64_t{1} << (m.shift - 1));
    std::byte* wide = to + 5 * row_bytes + (i % 2 == 0 ? 0 : row_bytes) + static_cast<size_t>(i / 2) * 8;
    std::memcpy(wide, &shift, 8);
    std::memcpy(wide + 2 * row_bytes, &summand, 8);
  }
}

}  // namespace halftone::kernels
