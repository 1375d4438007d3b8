// Numpy's broadcasting, as strides, and walks along them.
#pragma once

#include <vector>

#include "halftone/sim/interpreter.h"

namespace halftone::sim::ops {

// Strides (in elements) with which a dense tensor of shape `from` is read as if it had the shape `to`: shapes are
// aligned at their last dimensions, and a dimension of 1 or a missing one is read again and again (stride 0).
// Errors: Error{InvalidModel} naming the node when `from` does not broadcast to `to`.
std::vector<int64_t> broadcast_strides(const OpCall& call, const Shape& from, const Shape& to);

// Walks over the positions of a shape in row-major order and keeps, for each of several tensors with strides of their
// own, the position of the current element.
class StridedWalk {
 public:
  StridedWalk(Shape shape, std::vector<std::vector<int64_t>> strides);

  int64_t position(size_t tensor) const { return positions_[tensor]; }
  // The next element; after the last one it starts over and returns false.
  bool next();

 private:
  Shape shape_;
  std::vector<std::vector<int64_t>> strides_;
  std::vector<int64_t> index_;
  std::vector<int64_t> positions_;
};

}  // namespace halftone::sim::ops
