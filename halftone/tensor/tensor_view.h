// Memory of a caller's, described: what is read or written without a Tensor around it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "halftone/tensor/tensor.h"

namespace halftone {

// Elements to read: row-major, stored as in a Tensor, aligned as their C++ type. What the spans point at belongs to the
// caller.
struct TensorView {
  DType dtype = DType::Undefined;
  std::span<const int64_t> shape;
  std::span<const std::byte> bytes;
};

// Room for a result of that type, at least as large as the result; bytes beyond its end are left alone.
struct TensorBuffer {
  DType dtype = DType::Undefined;
  std::span<std::byte> bytes;
};

inline TensorView view_of(const Tensor& tensor) { return {tensor.dtype(), tensor.shape(), tensor.bytes()}; }

template <typename T>
TensorView view_of(std::span<const T> elements, std::span<const int64_t> shape) {
  return {dtype_of<T>(), shape, std::as_bytes(elements)};
}

template <typename T>
TensorBuffer buffer_of(std::span<T> room) {
  return {dtype_of<T>(), std::as_writable_bytes(room)};
}

}  // namespace halftone
