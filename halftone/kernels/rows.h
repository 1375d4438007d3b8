// Rectangles of elements, the shape of most memory-bound work. Tensors of any rank come down to them: equal strides
// merge, what is left over is the caller's loop. Callers cut rows or columns among threads.
#pragma once

#include <cstdint>

namespace halftone::kernels {

// `count` rows of `columns` neighbouring elements. Strides are distances between rows in elements of that side.
struct Rows {
  int64_t count = 0, columns = 0;
  int64_t from_stride = 0, to_stride = 0;

  // The same elements in as few rows as possible: rows that follow each other without gaps are one.
  Rows merged() const {
    if (from_stride != columns || to_stride != columns) return *this;
    return {count > 0 ? 1 : 0, count * columns, count * columns, count * columns};
  }
};

// Two operands and a result. A stride of 0 repeats a row for all rows: an operand [1, channels] beside [pixels,
// channels].
struct PairRows {
  int64_t count = 0, columns = 0;
  int64_t a_stride = 0, b_stride = 0, to_stride = 0;
};

}  // namespace halftone::kernels
