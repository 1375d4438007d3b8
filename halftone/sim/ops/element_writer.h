// Moving elements without looking at them: any element type, sub-byte types and strings included.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "halftone/sim/interpreter.h"

namespace halftone::sim::ops {

// Elements of the largest value that an operator may make; a damaged shape must not take all memory.
inline constexpr int64_t kMaxElements = int64_t{1} << 28;

// `shape`, if the interpreter makes tensors of that size. Errors: Error{InvalidModel} for a negative or overflowing
// shape, Error{Unsupported} beyond kMaxElements.
Shape check_size(Shape shape);

// Builds a tensor element by element; elements not written are zero (empty strings).
class ElementWriter {
 public:
  // Errors: as check_size.
  ElementWriter(DType dtype, Shape shape);
  // Starts from a copy of `tensor`.
  explicit ElementWriter(const Tensor& tensor);

  int64_t size() const { return tensor_.size(); }
  // Element `to` becomes element `from` of `source`, which has the same type. Indices are not checked.
  void copy(int64_t to, const Tensor& source, int64_t from);
  void copy_range(int64_t to, const Tensor& source, int64_t from, int64_t count);
  void fill(const Tensor& source, int64_t from = 0);
  Tensor finish() &&;

 private:
  Tensor tensor_;
  std::span<std::byte> bytes_;
  int bits_;
  std::vector<std::string> strings_;
};

// The tensor of `shape` whose element i is source[index[i]], or `fill`'s only element (zero without one) where index[i]
// is -1. Errors: InternalError for an index outside the source.
Tensor take(const Tensor& source, Shape shape, std::span<const int64_t> index, const Tensor* fill = nullptr);

// The tensor whose element (i0, i1, ...) is source(picks[0][i0], picks[1][i1], ...), or `fill`'s only element (zero
// without one) where a pick is -1. One list per dimension of the source. Errors: as check_size and take.
Tensor select(const Tensor& source, const std::vector<std::vector<int64_t>>& picks, const Tensor* fill = nullptr);

// 0, 1 ... count - 1: the pick that takes everything. Errors: Error{Unsupported} beyond kMaxElements.
std::vector<int64_t> all_of(int64_t count);

// The linear indices offset + sum(i_d * strides[d]) for all positions of `shape` in row-major order.
std::vector<int64_t> strided_indices(const Shape& shape, const std::vector<int64_t>& strides, int64_t offset = 0);

// The numpy broadcast of `source` to `shape`. Errors: Error{InvalidModel} naming the node when there is none.
Tensor broadcast_to(const OpCall& call, const Tensor& source, const Shape& shape);

}  // namespace halftone::sim::ops
