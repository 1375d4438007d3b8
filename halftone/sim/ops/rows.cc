#include "halftone/sim/ops/rows.h"

#include <algorithm>

#include "halftone/sim/ops/element_writer.h"

namespace halftone::sim::ops {
namespace {

bool contains(const std::vector<int64_t>& axes, size_t axis) {
  return std::find(axes.begin(), axes.end(), static_cast<int64_t>(axis)) != axes.end();
}

}  // namespace

Rows rows_along(const Shape& shape, const std::vector<int64_t>& axes) {
  const std::vector<int64_t> strides = contiguous_strides(shape);
  Shape kept, reduced, order;
  std::vector<int64_t> order_strides;
  for (const bool reduce : {false, true}) {
    for (size_t d = 0; d < shape.size(); ++d) {
      if (contains(axes, d) != reduce) continue;
      (reduce ? reduced : kept).push_back(shape[d]);
      order.push_back(shape[d]);
      order_strides.push_back(strides[d]);
    }
  }
  return {element_count(kept), element_count(reduced), strided_indices(order, order_strides)};
}

Shape reduced_shape(const Shape& shape, const std::vector<int64_t>& axes, bool keepdims) {
  Shape result;
  for (size_t d = 0; d < shape.size(); ++d) {
    if (!contains(axes, d)) {
      result.push_back(shape[d]);
    } else if (keepdims) {
      result.push_back(1);
    }
  }
  return result;
}

}  // namespace halftone::sim::ops
