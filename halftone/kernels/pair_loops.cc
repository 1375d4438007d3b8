#include "halftone/kernels/pair_loops.h"

#include <algorithm>

#include "halftone/base/error.h"

namespace halftone::kernels {
namespace {

bool continues(const PairAxis& outer, const PairAxis& inner) {
  return outer.a_stride == inner.a_stride * inner.extent && outer.b_stride == inner.b_stride * inner.extent &&
         outer.to_stride == inner.to_stride * inner.extent;
}

std::vector<PairAxis> simplified(const std::vector<PairAxis>& axes) {
  std::vector<PairAxis> result;
  for (const PairAxis& axis : axes) {
    if (axis.extent == 1) continue;
    if (!result.empty() && continues(result.back(), axis)) {
      const int64_t extent = result.back().extent * axis.extent;
      result.back() = axis;
      result.back().extent = extent;
    } else {
      result.push_back(axis);
    }
  }
  if (result.empty()) result.push_back({1, 1, 1, 1});
  return result;
}

}  // namespace

PairLoops make_pair_loops(const std::vector<PairAxis>& axes) {
  std::vector<PairAxis> left = simplified(axes);
  PairLoops loops;
  const PairAxis columns = left.back();
  HT_CHECK(columns.to_stride == 1, "results {} elements apart", columns.to_stride);
  left.pop_back();
  PairAxis rows{1, 0, 0, 0};
  if (!left.empty()) {
    rows = left.back();
    left.pop_back();
  }
  loops.outer = left;
  loops.rows = {rows.extent, columns.extent, rows.a_stride, rows.b_stride, rows.to_stride};
  loops.a_step = columns.a_stride;
  loops.b_step = columns.b_stride;
  return loops;
}

int64_t PairLoops::row_count() const {
  int64_t count = rows.count;
  for (const PairAxis& axis : outer) count *= axis.extent;
  return count;
}

}  // namespace halftone::kernels
