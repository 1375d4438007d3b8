// Broadcasts of two operands of any rank as rectangles (PairRows) for the kernels of sums and products.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "halftone/kernels/rows.h"

namespace halftone::kernels {

// One axis of the result, strides in elements; 0 where an operand repeats.
struct PairAxis {
  int64_t extent = 1;
  int64_t a_stride = 0, b_stride = 0, to_stride = 0;
};

// The innermost axis is columns, the one around it rows, the others are loops. Axes that continue each other are one,
// so that operands of one shape without gaps are a single row.
struct PairLoops {
  std::vector<PairAxis> outer;
  PairRows rows;
  int64_t a_step = 1, b_step = 1;  // of the operands along columns: what the kernels' problems ask for

  // Rows in all, which callers may cut.
  int64_t row_count() const;
  // Calls work(rows, a, b, to) for rectangles that together are rows [begin, end) of row_count(), with the offsets of
  // their first elements.
  template <typename Work>
  void run(int64_t begin, int64_t end, const Work& work) const;
};

// `axes` outermost first. The last axis of more than one element must have to_stride 1.
PairLoops make_pair_loops(const std::vector<PairAxis>& axes);

template <typename Work>
void PairLoops::run(int64_t begin, int64_t end, const Work& work) const {
  while (begin < end) {
    const int64_t first = begin % rows.count;
    PairRows part = rows;
    part.count = std::min(rows.count - first, end - begin);
    int64_t a = first * rows.a_stride, b = first * rows.b_stride, to = first * rows.to_stride;
    int64_t index = begin / rows.count;
    for (size_t i = outer.size(); i-- > 0; index /= outer[i].extent) {
      const int64_t at = index % outer[i].extent;
      a += at * outer[i].a_stride;
      b += at * outer[i].b_stride;
      to += at * outer[i].to_stride;
    }
    work(part, a, b, to);
    begin += part.count;
  }
}

}  // namespace halftone::kernels
