// Boxes of elements from one value to another, in any combination of layouts.
#pragma once

#include <cstdint>
#include <vector>

#include "halftone/runtime/program.h"

namespace halftone::runtime {

// A loop nest that copies elements: to[sum i_d * to_strides[d]] = from[sum i_d * from_strides[d]].
// Offsets and strides are in elements; strides may be zero (repeat) or negative (reverse).
struct StridedCopy {
  std::vector<int64_t> dims, from_strides, to_strides;
  int64_t from_offset = 0, to_offset = 0;
};

// Runs [begin, end) of the outermost loop. `element_size` is 1, 2, 4 or 8 bytes.
void run_copy(const StridedCopy& copy, const std::byte* from, std::byte* to, size_t element_size, int64_t begin,
              int64_t end);

// A box: along each axis a of `from`, element from_start[a] + i * from_step[a] goes to to_start[b] + i of axis b =
// to_axis[a] of `to`, for i in [0, extent[a]).
struct Box {
  std::vector<int64_t> extent, from_start, from_step, to_start, to_axis;
};

// The box that copies a whole value to the same coordinates of another.
Box whole_box(const Shape& shape);

// The loop nests for a box. A Blocked `to` needs to_axis[1] == 1.
std::vector<StridedCopy> copies_of(const Box& box, const Place& from, const Place& to);

}  // namespace halftone::runtime
