#include "halftone/train/tensors.h"

#include <cstring>

namespace halftone::train {
namespace {

DType dtype_of(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return DType::Float;
    case at::kDouble:
      return DType::Double;
    case at::kLong:
      return DType::Int64;
    case at::kBool:
      return DType::Bool;
    default:
      HT_CHECK(false);
      return DType::Undefined;
  }
}

template <typename T>
at::Tensor copied_as(const Tensor& tensor, at::ScalarType type) {
  at::Tensor result = at::empty(tensor.shape(), at::TensorOptions(type));
  const std::vector<T> elements = to_vector<T>(tensor);
  if (!elements.empty()) std::memcpy(result.data_ptr(), elements.data(), elements.size() * sizeof(T));
  return result;
}

}  // namespace

at::Tensor to_torch(const Tensor& tensor) {
  if (tensor.dtype() == DType::Double) return copied_as<double>(tensor, at::kDouble);
  return is_floating(tensor.dtype()) ? copied_as<float>(tensor, at::kFloat) : copied_as<int64_t>(tensor, at::kLong);
}

Tensor from_torch(const at::Tensor& tensor) {
  const at::Tensor dense = tensor.detach().contiguous();
  Tensor result(dtype_of(dense), dense.sizes().vec());
  const std::span<std::byte> to = result.mutable_bytes();
  if (!to.empty()) std::memcpy(to.data(), dense.data_ptr(), to.size());
  return result;
}

}  // namespace halftone::train
