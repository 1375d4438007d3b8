// Elements from one place to another, unchanged: Slice, Split, Pad, Transpose, DepthToSpace, Expand, Tile, and Concat
// on one grid. Codes on another grid are looked up (kernels/lut).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace halftone::kernels {

// A loop nest that copies elements: to[sum i_d * to_strides[d]] = from[sum i_d * from_strides[d]].
// Offsets and strides are in elements; strides of `from` may be zero (repeat), strides of both negative (reverse).
// At least one loop.
struct StridedCopy {
  std::vector<int64_t> dims, from_strides, to_strides;
  int64_t from_offset = 0, to_offset = 0;
};

// The same copy in fewer loops: those of one step disappear, neighbours that continue each other become one.
void simplify(StridedCopy& copy);

// Runs [begin, end) of the outermost loop. `element_size` is 1, 2, 4 or 8 bytes. `from` and `to` don't overlap. Fast
// where the innermost loop has stride 1 on both sides, or the two innermost ones transpose bytes.
void run_copy(const StridedCopy& copy, const std::byte* from, std::byte* to, size_t element_size, int64_t begin,
              int64_t end);

}  // namespace halftone::kernels
