// The grid of stored codes (kernel.h), as kernels see it.
#pragma once

#include <cstdint>

#include "halftone/quant/requantize.h"

namespace halftone::kernels {

// Codes in use and the code of real 0, all within 0..255. An absorbed activation narrows low and high.
struct StoredGrid {
  int32_t zero_point = 0;
  int32_t low = 0, high = 255;
  bool operator==(const StoredGrid&) const = default;
};

// What is added to a code of `dtype` to store it: 128 where it is signed.
inline int32_t stored_offset(DType dtype) { return is_signed_integer(dtype) ? 128 : 0; }

// The stored form of a grid of at most 8 bits.
inline StoredGrid stored_grid(const Grid& grid) {
  const int32_t offset = stored_offset(grid.dtype);
  return {grid.zero_point + offset, grid.low + offset, grid.high + offset};
}

// Requantization of a sum in either mode, where the multiplier is one for the whole tensor.
struct Factor {
  float multiplier = 1;  // RequantizeMode::Float
  Dyadic dyadic;         // RequantizeMode::Dyadic: make_dyadic(multiplier)
};
inline Factor make_factor(float multiplier) { return {multiplier, make_dyadic(multiplier)}; }

inline int32_t requantize(RequantizeMode mode, int32_t acc, const Factor& factor, const StoredGrid& to) {
  return mode == RequantizeMode::Float ? halftone::requantize(acc, factor.multiplier, to.zero_point, to.low, to.high)
                                       : requantize_dyadic(acc, factor.dyadic, to.zero_point, to.low, to.high);
}

}  // namespace halftone::kernels
