// Broadcasts of two operands of any rank as rectangles (PairRows) for the kernels of sums and products.
#pragma once

#include <cstdint>
#include <functional>
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
  using Work = std::function<void(const PairRows& rows, int64_t a, int64_t b, int64_t to)>;
  void run(int64_t begin, int64_t end, const Work& work) const;
};

// `axes` outermost first. The last axis of more than one element must have to_stride 1.
PairLoops make_pair_loops(const std::vector<PairAxis>& axes);

}  // namespace halftone::kernels
