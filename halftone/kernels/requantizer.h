// Requantization with one multiplier per column (output channel): the constants that packers lay down, and that the
// vector code of requantizer_vectors.h reads. For `lanes` columns at a time, rows of `lanes` words of 4 bytes:
//   Float   the multipliers
//   Dyadic  the multipliers M; for shifts of 33 and more, where the high halves of 64-bit products are all that counts,
//           2^(shift-33) and shift - 32; for all shifts, what exceeds the steps after the shift, the largest |acc| that
//           needs to be told from infinity, and in 64 bits, even columns before odd ones, the shifts and the summands
//           before the shift
// Real results need the multipliers alone, in both modes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "halftone/quant/requantize.h"

namespace halftone::kernels {

inline constexpr int64_t kFloatRequantizerRows = 1, kDyadicRequantizerRows = 9;

// Writes the rows of `lanes` columns (an even number) with these multipliers, in this order.
void pack_requantizer(RequantizeMode mode, const float* multipliers, int64_t lanes, std::byte* to);

}  // namespace halftone::kernels
