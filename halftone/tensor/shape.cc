#include "halftone/tensor/shape.h"

#include <algorithm>

#include "halftone/base/error.h"

namespace halftone {

int64_t element_count(const Shape& shape) {
  int64_t count = 1;
  for (int64_t dim : shape) {
    if (dim < 0 || __builtin_mul_overflow(count, dim, &count)) {
      fail(ErrorCode::InvalidModel, "shape " + to_string(shape),
           "dimensions must be >= 0 and their product below 2^63");
    }
  }
  return count;
}

std::vector<int64_t> contiguous_strides(const Shape& shape) {
  std::vector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += fmt::format("{}{}", i == 0 ? "" : ", ", shape[i]);
  return text + "]";
}

Shape broadcast(const Shape& a, const Shape& b) {
  Shape result(std::max(a.size(), b.size()), 1);
  for (size_t i = 0; i < result.size(); ++i) {
    const int64_t da = i < a.size() ? a[a.size() - 1 - i] : 1;
    const int64_t db = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (da != db && da != 1 && db != 1) {
      fail(ErrorCode::InvalidModel, "broadcast", "dimensions must be equal or 1, found {} and {}", to_string(a),
           to_string(b));
    }
    result[result.size() - 1 - i] = da == 1 ? db : da;
  }
  return result;
}

int64_t normalize_axis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank) {
    fail(ErrorCode::InvalidModel, "axis", "must lie in [{}, {}), found {}", -rank, rank, axis);
  }
  return axis < 0 ? axis + rank : axis;
}

}  // namespace halftone
