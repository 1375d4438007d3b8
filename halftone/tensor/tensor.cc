#include "halftone/tensor/tensor.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace halftone {
namespace {

// A cache line; also what AVX-512 loads like best.
constexpr size_t kAlignment = 64;

std::shared_ptr<std::byte> allocate(size_t size) {
  auto* memory = static_cast<std::byte*>(::operator new (std::max<size_t>(size, 1), std::align_val_t{kAlignment}));
  return {memory, [](std::byte* p) { ::operator delete (p, std::align_val_t{kAlignment}); }};
}

}  // namespace

Tensor::Tensor(DType dtype, Shape shape)
    : dtype_(dtype), shape_(std::move(shape)), size_(element_count(shape_)), size_bytes_(bytes_for(dtype, size_)) {
  auto memory = allocate(size_bytes_);
  std::memset(memory.get(), 0, size_bytes_);
  data_ = memory.get();
  keep_alive_ = std::move(memory);
  owned_ = true;
  if (dtype == DType::String) strings_ = std::make_shared<std::vector<std::string>>(static_cast<size_t>(size_));
}

Tensor Tensor::from_strings(Shape shape, std::vector<std::string> strings) {
  Tensor tensor(DType::String, std::move(shape));
  if (static_cast<int64_t>(strings.size()) != tensor.size()) {
    fail(ErrorCode::InvalidArgument, "tensor", "shape {} requires {} strings, found {}", to_string(tensor.shape()),
         tensor.size(), strings.size());
  }
  tensor.strings_ = std::make_shared<std::vector<std::string>>(std::move(strings));
  return tensor;
}

Tensor Tensor::view(DType dtype, Shape shape, std::span<const std::byte> bytes,
                    std::shared_ptr<const void> keep_alive) {
  Tensor tensor;
  tensor.dtype_ = dtype;
  tensor.shape_ = std::move(shape);
  tensor.size_ = element_count(tensor.shape_);
  // A type whose element size is unknown is carried with whatever bytes it came with.
  const bool known_size = bits_of(dtype) > 0;
  if (known_size && bytes_for(dtype, tensor.size_) != bytes.size()) {
    fail(ErrorCode::InvalidModel, "tensor", "{} of shape {} requires {} bytes, found {}", name_of(dtype),
         to_string(tensor.shape_), bytes_for(dtype, tensor.size_), bytes.size());
  }
  // Typed access needs alignment, which a file does not promise.
  const size_t element = std::min<size_t>(std::max(bits_of(dtype) / 8, 1), 8);
  if (reinterpret_cast<uintptr_t>(bytes.data()) % element != 0) {
    auto memory = allocate(bytes.size());
    std::memcpy(memory.get(), bytes.data(), bytes.size());
    tensor.data_ = memory.get();
    tensor.keep_alive_ = std::move(memory);
    tensor.owned_ = true;
  } else {
    tensor.data_ = bytes.data();
    tensor.keep_alive_ = std::move(keep_alive);
  }
  tensor.size_bytes_ = bytes.size();
  return tensor;
}

std::span<std::byte> Tensor::mutable_bytes() {
  if (!owned_ || keep_alive_.use_count() != 1) {
    auto memory = allocate(size_bytes_);
    if (size_bytes_ > 0) std::memcpy(memory.get(), data_, size_bytes_);
    data_ = memory.get();
    keep_alive_ = std::move(memory);
    owned_ = true;
  }
  return {const_cast<std::byte*>(data_), size_bytes_};
}

const std::vector<std::string>& Tensor::strings() const {
  HT_CHECK(dtype_ == DType::String, "strings of a {} tensor", name_of(dtype_));
  return *strings_;
}

Tensor Tensor::reshaped(Shape shape) const {
  const int64_t count = element_count(shape);
  if (count != size_) {
    fail(ErrorCode::InvalidModel, "reshape", "{} elements of {} can't take the shape {}", size_, to_string(shape_),
         to_string(shape));
  }
  Tensor result = *this;
  result.shape_ = std::move(shape);
  return result;
}

bool Tensor::same_as(const Tensor& other) const {
  if (dtype_ != other.dtype_ || shape_ != other.shape_ || size_bytes_ != other.size_bytes_) return false;
  if (dtype_ == DType::String) return *strings_ == *other.strings_;
  return size_bytes_ == 0 || std::memcmp(data_, other.data_, size_bytes_) == 0;
}

void Tensor::check_element_type(DType requested, size_t element_size) const {
  const bool raw_half = requested == DType::UInt16 && (dtype_ == DType::Float16 || dtype_ == DType::BFloat16);
  const bool raw_byte =
      requested == DType::UInt8 && bits_of(dtype_) > 0 && bits_of(dtype_) <= 8 && dtype_ != DType::Int8;
  HT_CHECK(requested == dtype_ || raw_half || raw_byte, "a {} tensor read as {} ({} bytes)", name_of(dtype_),
           name_of(requested), element_size);
}

}  // namespace halftone
