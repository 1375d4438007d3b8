#include "halftone/sim/ops/broadcast.h"

namespace halftone::sim::ops {

std::vector<int64_t> broadcast_strides(const OpCall& call, const Shape& from, const Shape& to) {
  const size_t missing = to.size() - from.size();
  bool fits = from.size() <= to.size();
  for (size_t i = 0; fits && i < from.size(); ++i) fits = from[i] == to[missing + i] || from[i] == 1;
  if (!fits) call.refuse("{} does not broadcast to {}", to_string(from), to_string(to));

  std::vector<int64_t> strides = contiguous_strides(from);
  for (size_t i = 0; i < from.size(); ++i) {
    if (from[i] == 1) strides[i] = 0;
  }
  strides.insert(strides.begin(), missing, 0);
  return strides;
}

StridedWalk::StridedWalk(Shape shape, std::vector<std::vector<int64_t>> strides)
    : shape_(std::move(shape)),
      strides_(std::move(strides)),
      index_(shape_.size(), 0),
      positions_(strides_.size(), 0) {}

bool StridedWalk::next() {
  for (size_t axis = shape_.size(); axis-- > 0;) {
    const bool wraps = ++index_[axis] == shape_[axis];
    for (size_t t = 0; t < strides_.size(); ++t) {
      positions_[t] += wraps ? -strides_[t][axis] * (shape_[axis] - 1) : strides_[t][axis];
    }
    if (!wraps) return true;
    index_[axis] = 0;
  }
  return false;
}

}  // namespace halftone::sim::ops
