// Pixels picked by position: Resize and Upsample by nearest neighbour, Gather.
#pragma once

#include <cstdint>

namespace halftone::kernels {

// to[i * to_stride + c] = from[index[i] * from_stride + c]        begin <= i < end, c < bytes
// Strides in bytes. An image is resized row by row: `from` at the chosen row, `index` the columns, and rows that repeat
// the one before are copied from it.
void pick_pixels(const int32_t* index, int64_t from_stride, int64_t to_stride, int64_t bytes, const uint8_t* from,
                 uint8_t* to, int64_t begin, int64_t end);

}  // namespace halftone::kernels
