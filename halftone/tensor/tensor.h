// A dense row-major array of one element type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "halftone/base/error.h"
#include "halftone/tensor/dtype.h"
#include "halftone/tensor/shape.h"

namespace halftone {

// A value type that is cheap to copy: copies share their storage, and the first write through a shared one copies it.
// The storage is owned memory or somebody else's that `keep_alive` holds (a mapped file, a parsed message).
//
// Elements of sub-byte types are packed, little-endian within a byte (tensor/packing.h); Float16, BFloat16 and the
// small floats are stored as their bit patterns. Strings are kept beside the bytes.
//
// Thread safety: like a std::vector; concurrent readers of one storage are fine.
class Tensor {
 public:
  Tensor() = default;  // Undefined type, shape [0], no storage

  // Zero-initialized. Errors: Error when the shape overflows; std::bad_alloc.
  Tensor(DType dtype, Shape shape);

  // A copy of `elements`, of the DType that belongs to T. Errors: Error{InvalidArgument} when the counts differ.
  template <typename T>
  static Tensor from(Shape shape, std::span<const T> elements);
  template <typename T>
  static Tensor from(Shape shape, const std::vector<T>& elements) {
    return from<T>(std::move(shape), std::span<const T>(elements));
  }
  template <typename T>
  static Tensor scalar(T value) {
    return from<T>({}, std::span<const T>(&value, 1));
  }
  static Tensor from_strings(Shape shape, std::vector<std::string> strings);

  // Shares `bytes`, which `keep_alive` keeps valid. Errors: Error{InvalidModel} when the size does not fit the shape.
  static Tensor view(DType dtype, Shape shape, std::span<const std::byte> bytes,
                     std::shared_ptr<const void> keep_alive);

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int64_t rank() const { return static_cast<int64_t>(shape_.size()); }
  int64_t dim(int64_t axis) const { return shape_.at(static_cast<size_t>(axis)); }
  int64_t size() const { return size_; }  // elements
  bool defined() const { return dtype_ != DType::Undefined; }

  std::span<const std::byte> bytes() const { return {data_, size_bytes_}; }
  std::span<std::byte> mutable_bytes();

  // The elements; T must be the DType's C++ type (or, for Float16 and BFloat16, uint16_t; for sub-byte types, 8-bit
  // floats and Bool, uint8_t holding the raw bytes). Errors: InternalError for another T.
  template <typename T>
  std::span<const T> data() const;
  template <typename T>
  std::span<T> mutable_data();

  const std::vector<std::string>& strings() const;

  // The same storage under another shape of equal element count. Errors: Error{InvalidModel} otherwise.
  Tensor reshaped(Shape shape) const;

  // True when both have the same type, shape and bytes (so NaN equals NaN, and -0 differs from 0).
  bool same_as(const Tensor& other) const;

 private:
  void check_element_type(DType requested, size_t element_size) const;

  DType dtype_ = DType::Undefined;
  Shape shape_ = {0};
  int64_t size_ = 0;
  const std::byte* data_ = nullptr;
  size_t size_bytes_ = 0;
  std::shared_ptr<const void> keep_alive_;
  bool owned_ = false;  // keep_alive_ is a buffer of ours, which may be written while it is not shared
  std::shared_ptr<const std::vector<std::string>> strings_;
};

// The elements converted to T, whatever numeric type they have (sub-byte, half and 8-bit floats included; Bool gives 0
// and 1; float to integer truncates). Errors: Error{Unsupported} for strings and complex numbers.
template <typename T>
std::vector<T> to_vector(const Tensor& tensor);
extern template std::vector<float> to_vector<float>(const Tensor&);
extern template std::vector<double> to_vector<double>(const Tensor&);
extern template std::vector<int64_t> to_vector<int64_t>(const Tensor&);
extern template std::vector<int32_t> to_vector<int32_t>(const Tensor&);

// `tensor` as `dtype`: integers wrap as C++ casts do, floats to integers truncate and saturate, to half types round to
// nearest even; any nonzero number is true. Errors: Error{Unsupported} for strings and complex numbers.
Tensor convert(const Tensor& tensor, DType dtype);

template <typename T>
Tensor Tensor::from(Shape shape, std::span<const T> elements) {
  Tensor tensor(dtype_of<T>(), std::move(shape));
  if (static_cast<int64_t>(elements.size()) != tensor.size()) {
    fail(ErrorCode::InvalidArgument, "tensor", "shape {} requires {} elements, found {}", to_string(tensor.shape()),
         tensor.size(), elements.size());
  }
  std::span<T> to = tensor.mutable_data<T>();
  for (size_t i = 0; i < elements.size(); ++i) to[i] = elements[i];
  return tensor;
}

template <typename T>
std::span<const T> Tensor::data() const {
  check_element_type(dtype_of<T>(), sizeof(T));
  return {reinterpret_cast<const T*>(data_), size_bytes_ / sizeof(T)};
}

template <typename T>
std::span<T> Tensor::mutable_data() {
  check_element_type(dtype_of<T>(), sizeof(T));
  return {reinterpret_cast<T*>(mutable_bytes().data()), size_bytes_ / sizeof(T)};
}

}  // namespace halftone
