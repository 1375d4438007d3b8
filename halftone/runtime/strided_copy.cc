#include "halftone/runtime/strided_copy.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "halftone/runtime/layout.h"

namespace halftone::runtime {
namespace {

// The distance between neighbours along an axis; along the channels of a Blocked value, within a block.
int64_t stride_of(const Place& place, size_t axis) {
  if (place.layout == Layout::Plain) return contiguous_strides(place.shape)[axis];
  const Channels value = channels_of(place.shape);
  if (place.layout == Layout::ChannelsLast) {
    if (axis == 0) return value.s * place.pixel_stride;
    return axis == 1 ? 1 : contiguous_strides(place.shape)[axis] * place.pixel_stride;
  }
  if (axis == 0) return value.padded() * value.s;
  if (axis == 1) return 1;
  return contiguous_strides(place.shape)[axis] * channel_block(value.c);
}

// Where channel c begins.
int64_t channel_offset(const Place& place, int64_t c, int64_t plain_stride) {
  if (place.layout == Layout::Plain) return c * plain_stride;
  const Channels value = channels_of(place.shape);
  const int64_t block = channel_block(value.c);
  return c / block * block * value.s + c % block;
}

// Channels from c to the end of its block.
int64_t rest_of_block(const Place& place, int64_t c) {
  if (place.layout != Layout::Blocked) return std::numeric_limits<int64_t>::max();
  const int64_t block = channel_block(channels_of(place.shape).c);
  return block - c % block;
}

// Loops in the order in which the elements lie at their destination, so that those that continue each other meet.
void sort_loops(StridedCopy& copy) {
  std::vector<size_t> order(copy.dims.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return copy.to_strides[a] > copy.to_strides[b]; });
  const StridedCopy before = copy;
  for (size_t i = 0; i < order.size(); ++i) {
    copy.dims[i] = before.dims[order[i]];
    copy.from_strides[i] = before.from_strides[order[i]];
    copy.to_strides[i] = before.to_strides[order[i]];
  }
}

}  // namespace

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
    if (from.layout == Layout::ChannelsLast || to.layout == Layout::ChannelsLast) sort_loops(base);
    kernels::simplify(base);
    return {base};
  }

  // Runs of channels that lie within one block on both sides.
  const auto to_axis = static_cast<size_t>(box.to_axis[1]);
  const int64_t from_stride = stride_of(from, 1), to_stride = stride_of(to, to_axis);
  std::vector<StridedCopy> copies;
  for (int64_t c = 0; c < box.extent[1];) {
    const int64_t source = box.from_start[1] + c * box.from_step[1], target = box.to_start[to_axis] + c;
    int64_t run = box.from_step[1] == 1 ? box.extent[1] - c : 1;
    run = std::min({run, rest_of_block(from, source), rest_of_block(to, target)});
    StridedCopy copy = base;
    copy.from_offset += channel_offset(from, source, from_stride);
    copy.to_offset += channel_offset(to, target, to_stride);
    copy.dims.push_back(run);
    copy.from_strides.push_back(from_stride);
    copy.to_strides.push_back(to_stride);
    kernels::simplify(copy);
    copies.push_back(std::move(copy));
    c += run;
  }
  return copies;
}

}  // namespace halftone::runtime
