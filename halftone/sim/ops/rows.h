// A tensor seen as rows along some of its axes: what reductions, TopK and their like work on.
#pragma once

#include <vector>

#include "halftone/tensor/tensor.h"

namespace halftone::sim::ops {

// `index` lists, row after row, the linear positions of the tensor's elements: a row runs over the reduced axes
// (row-major among themselves), rows follow the kept axes in row-major order.
struct Rows {
  int64_t count = 0;   // product of the kept dimensions
  int64_t length = 0;  // product of the reduced ones
  std::vector<int64_t> index;
};

// `axes` are normalized. Cost: O(elements).
Rows rows_along(const Shape& shape, const std::vector<int64_t>& axes);

// `shape` with the reduced axes set to 1 (keepdims) or removed.
Shape reduced_shape(const Shape& shape, const std::vector<int64_t>& axes, bool keepdims);

}  // namespace halftone::sim::ops
