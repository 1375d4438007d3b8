// Stored codes of more than 8 bits: int16 each. Codes of unsigned grids are stored with 32768 taken off, and zero
// points and bounds move with them, as those of bytes do (kernel.h).
#pragma once

#include "halftone/kernels/stored_grid.h"

namespace halftone::kernels {

// What is added to a code of `dtype`, which has 16 bits, to store it.
inline int32_t wide_offset(DType dtype) { return is_signed_integer(dtype) ? 0 : -32768; }

// The stored form of such a grid; all numbers are in -32768 .. 32767.
inline StoredGrid wide_grid(const Grid& grid) {
  const int32_t offset = wide_offset(grid.dtype);
  return {grid.zero_point + offset, grid.low + offset, grid.high + offset};
}

}  // namespace halftone::kernels
