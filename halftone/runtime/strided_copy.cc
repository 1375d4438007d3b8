#include "halftone/runtime/strided_copy.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "halftone/runtime/layout.h"

namespace halftone::runtime {
namespace {

template <typename T>
void copy_line(const std::byte* from, std::byte* to, int64_t count, int64_t from_stride, int64_t to_stride) {
  const auto* source = reinterpret_cast<const T*>(from);
  auto* target = reinterpret_cast<T*>(to);
  for (int64_t i = 0; i < count; ++i) target[i * to_stride] = source[i * from_stride];
}

using LineFunction = void (*)(const std::byte*, std::byte*, int64_t, int64_t, int64_t);

LineFunction line_function(size_t element_size) {
  switch (element_size) {
    case 1:
      return copy_line<uint8_t>;
    case 2:
      return copy_line<uint16_t>;
    case 4:
      return copy_line<uint32_t>;
    default:
      return copy_line<uint64_t>;
  }
}

void copy_loops(const StridedCopy& copy, size_t depth, const std::byte* from, std::byte* to, size_t size,
                LineFunction line, int64_t begin, int64_t end) {
  const int64_t from_stride = copy.from_strides[depth], to_stride = copy.to_strides[depth];
  const auto bytes = static_cast<int64_t>(size);
  from += begin * from_stride * bytes;
  to += begin * to_stride * bytes;
  if (depth + 1 == copy.dims.size()) {
    if (from_stride == 1 && to_stride == 1) {
      std::memcpy(to, from, static_cast<size_t>(end - begin) * size);
    } else {
      line(from, to, end - begin, from_stride, to_stride);
    }
    return;
  }
  for (int64_t i = begin; i < end; ++i, from += from_stride * bytes, to += to_stride * bytes) {
    copy_loops(copy, depth + 1, from, to, size, line, 0, copy.dims[depth + 1]);
  }
}

// The distance between neighbours along an axis; along the channels of a Blocked value, within a block.
int64_t stride_of(const Place& place, size_t axis) {
  if (place.layout == Layout::Plain) return contiguous_strides(place.shape)[axis];
  const Channels value = channels_of(place.shape);
  if (axis == 0) return value.padded() * value.s;
  if (axis == 1) return 1;
  return contiguous_strides(place.shape)[axis] * channel_block();
}

// Where channel c begins.
int64_t channel_offset(const Place& place, int64_t c, int64_t plain_stride) {
  if (place.layout == Layout::Plain) return c * plain_stride;
  const int64_t block = channel_block();
  return c / block * block * channels_of(place.shape).s + c % block;
}

// Loops of one step disappear, neighbours that continue each other become one.
void simplify(StridedCopy& copy) {
  StridedCopy result{{}, {}, {}, copy.from_offset, copy.to_offset};
  for (size_t d = 0; d < copy.dims.size(); ++d) {
    if (copy.dims[d] == 1) continue;
    const bool continues = !result.dims.empty() && result.from_strides.back() == copy.from_strides[d] * copy.dims[d] &&
                           result.to_strides.back() == copy.to_strides[d] * copy.dims[d];
    if (continues) {
      result.dims.back() *= copy.dims[d];
      result.from_strides.back() = copy.from_strides[d];
      result.to_strides.back() = copy.to_strides[d];
    } else {
      result.dims.push_back(copy.dims[d]);
      result.from_strides.push_back(copy.from_strides[d]);
      result.to_strides.push_back(copy.to_strides[d]);
    }
  }
  if (result.dims.empty()) {
    result.dims = {1};
    result.from_strides = result.to_strides = {1};
  }
  copy = std::move(result);
}

}  // namespace

void run_copy(const StridedCopy& copy, const std::byte* from, std::byte* to, size_t element_size, int64_t begin,
              int64_t end) {
  const auto bytes = static_cast<int64_t>(element_size);
  copy_loops(copy, 0, from + copy.from_offset * bytes, to + copy.to_offset * bytes, element_size,
             line_function(element_size), begin, end);
}

Box whole_box(const Shape& shape) {
  Box box{shape, Shape(shape.size(), 0), Shape(shape.size(), 1), Shape(shape.size(), 0), Shape(shape.size())};
  std::iota(box.to_axis.begin(), box.to_axis.end(), int64_t{0});
  return box;
}

std::vector<StridedCopy> copies_of(const Box& box, const Place& from, const Place& to) {
  const size_t rank = box.extent.size();
  if (std::any_of(box.extent.begin(), box.extent.end(), [](int64_t e) { return e <= 0; })) return {};
  const bool in_blocks = from.layout == Layout::Blocked || to.layout == Layout::Blocked;

  StridedCopy base;
  for (size_t axis = 0; axis < rank; ++axis) {
    if (in_blocks && axis == 1) continue;
    const auto to_axis = static_cast<size_t>(box.to_axis[axis]);
    const int64_t from_stride = stride_of(from, axis), to_stride = stride_of(to, to_axis);
    base.dims.push_back(box.extent[axis]);
    base.from_strides.push_back(from_stride * box.from_step[axis]);
    base.to_strides.push_back(to_stride);
    base.from_offset += from_stride * box.from_start[axis];
    base.to_offset += to_stride * box.to_start[to_axis];
  }
  if (!in_blocks) {
    simplify(base);
    return {base};
  }

  // Runs of channels that lie within one block on both sides.
  const int64_t block = channel_block();
  const auto to_axis = static_cast<size_t>(box.to_axis[1]);
  const int64_t from_stride = stride_of(from, 1), to_stride = stride_of(to, to_axis);
  std::vector<StridedCopy> copies;
  for (int64_t c = 0; c < box.extent[1];) {
    const int64_t source = box.from_start[1] + c * box.from_step[1], target = box.to_start[to_axis] + c;
    int64_t run = box.from_step[1] == 1 ? box.extent[1] - c : 1;
    if (from.layout == Layout::Blocked) run = std::min(run, block - source % block);
    if (to.layout == Layout::Blocked) run = std::min(run, block - target % block);
    StridedCopy copy = base;
    copy.from_offset += channel_offset(from, source, from_stride);
    copy.to_offset += channel_offset(to, target, to_stride);
    copy.dims.push_back(run);
    copy.from_strides.push_back(from_stride);
    copy.to_strides.push_back(to_stride);
    simplify(copy);
    copies.push_back(std::move(copy));
    c += run;
  }
  return copies;
}

}  // namespace halftone::runtime
