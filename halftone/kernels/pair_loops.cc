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
