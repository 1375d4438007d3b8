#include "halftone/sim/ops/element_writer.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "halftone/sim/ops/broadcast.h"

namespace halftone::sim::ops {

Shape check_size(Shape shape) {
  if (element_count(shape) > kMaxElements) {
    fail(ErrorCode::Unsupported, "value", "the reference interpreter makes values of at most {} elements, not {}",
         kMaxElements, to_string(shape));
  }
  return shape;
}

ElementWriter::ElementWriter(DType dtype, Shape shape)
    : tensor_(dtype, check_size(std::move(shape))), bytes_(tensor_.mutable_bytes()), bits_(bits_of(dtype)) {
  if (dtype == DType::String) strings_.resize(static_cast<size_t>(tensor_.size()));
}

ElementWriter::ElementWriter(const Tensor& tensor)
    : tensor_(tensor), bytes_(tensor_.mutable_bytes()), bits_(bits_of(tensor.dtype())) {
  if (tensor.dtype() == DType::String) strings_ = tensor.strings();
}

void ElementWriter::copy(int64_t to, const Tensor& source, int64_t from) {
  if (tensor_.dtype() == DType::String) {
    strings_[static_cast<size_t>(to)] = source.strings()[static_cast<size_t>(from)];
  } else if (bits_ >= 8) {
    const size_t width = static_cast<size_t>(bits_) / 8;
    std::memcpy(bytes_.data() + static_cast<size_t>(to) * width,
                source.bytes().data() + static_cast<size_t>(from) * width, width);
  } else {
    const int64_t per_byte = 8 / bits_;
    const auto mask = static_cast<unsigned>((1 << bits_) - 1);
    const auto from_shift = static_cast<int>(from % per_byte) * bits_;
    const auto to_shift = static_cast<int>(to % per_byte) * bits_;
    const auto code =
        (static_cast<unsigned>(source.bytes()[static_cast<size_t>(from / per_byte)]) >> from_shift) & mask;
    std::byte& target = bytes_[static_cast<size_t>(to / per_byte)];
    target = static_cast<std::byte>((static_cast<unsigned>(target) & ~(mask << to_shift)) | (code << to_shift));
  }
}

void ElementWriter::copy_range(int64_t to, const Tensor& source, int64_t from, int64_t count) {
  for (int64_t i = 0; i < count; ++i) copy(to + i, source, from + i);
}

void ElementWriter::fill(const Tensor& source, int64_t from) {
  for (int64_t i = 0; i < size(); ++i) copy(i, source, from);
}

Tensor ElementWriter::finish() && {
  if (tensor_.dtype() == DType::String) return Tensor::from_strings(tensor_.shape(), std::move(strings_));
  return std::move(tensor_);
}

Tensor take(const Tensor& source, Shape shape, std::span<const int64_t> index, const Tensor* fill) {
  ElementWriter writer(source.dtype(), std::move(shape));
  HT_CHECK(static_cast<int64_t>(index.size()) == writer.size(), "{} indices for {} elements", index.size(),
           writer.size());
  for (size_t i = 0; i < index.size(); ++i) {
    HT_CHECK(index[i] >= -1 && index[i] < source.size(), "element {} of {}", index[i], source.size());
    if (index[i] >= 0) {
      writer.copy(static_cast<int64_t>(i), source, index[i]);
    } else if (fill != nullptr) {
      writer.copy(static_cast<int64_t>(i), *fill, 0);
    }
  }
  return std::move(writer).finish();
}

Tensor select(const Tensor& source, const std::vector<std::vector<int64_t>>& picks, const Tensor* fill) {
  HT_CHECK(static_cast<int64_t>(picks.size()) == source.rank(), "{} picks for rank {}", picks.size(), source.rank());
  Shape shape;
  for (const std::vector<int64_t>& pick : picks) shape.push_back(static_cast<int64_t>(pick.size()));
  check_size(shape);

  // Grows the list of linear indices dimension by dimension; -1 stays -1.
  std::vector<int64_t> index = {0};
  for (size_t d = 0; d < picks.size(); ++d) {
    std::vector<int64_t> finer;
    finer.reserve(index.size() * picks[d].size());
    for (const int64_t base : index) {
      for (const int64_t pick : picks[d]) {
        finer.push_back(base < 0 || pick < 0 ? -1 : base * source.dim(static_cast<int64_t>(d)) + pick);
      }
    }
    index = std::move(finer);
  }
  return take(source, std::move(shape), index, fill);
}

std::vector<int64_t> all_of(int64_t count) {
  check_size({count});
  std::vector<int64_t> picks(static_cast<size_t>(count));
  std::iota(picks.begin(), picks.end(), int64_t{0});
  return picks;
}

std::vector<int64_t> strided_indices(const Shape& shape, const std::vector<int64_t>& strides, int64_t offset) {
  std::vector<int64_t> index(static_cast<size_t>(element_count(shape)));
  StridedWalk walk(shape, {strides});
  for (int64_t& linear : index) {
    linear = offset + walk.position(0);
    walk.next();
  }
  return index;
}

Tensor broadcast_to(const OpCall& call, const Tensor& source, const Shape& shape) {
  if (source.shape() == shape) return source;
  const std::vector<int64_t> strides = broadcast_strides(call, source.shape(), shape);
  return take(source, shape, strided_indices(check_size(shape), strides));
}

}  // namespace halftone::sim::ops
