// Boxes of elements from one value to another, in any combination of layouts.
#pragma once

#include <cstdint>
#include <vector>

#include "halftone/kernels/move/strided_copy.h"
#include "halftone/runtime/program.h"

namespace halftone::runtime {

using kernels::run_copy;
using kernels::StridedCopy;

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
