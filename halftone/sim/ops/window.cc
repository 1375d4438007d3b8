#include "halftone/sim/ops/window.h"

#include <algorithm>

namespace halftone::sim::ops {
namespace {

// Above any sensible extent, and low enough that sums of products of two don't overflow.
constexpr int64_t kMaxExtent = int64_t{1} << 30;

void check_extents(const OpCall& call, std::string_view what, const std::vector<int64_t>& values, size_t count,
                   int64_t low) {
  if (values.size() != count) call.refuse("{} requires {} numbers, found {}", what, count, values.size());
  for (int64_t value : values) {
    if (value < low || value > kMaxExtent) {
      call.refuse("{} must lie in [{}, {}], found {}", what, low, kMaxExtent, value);
    }
  }
}

int64_t ceil_divide(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace

Window::Range Window::inside(size_t axis, int64_t k) const {
  // 0 <= o * stride + offset < in
  const int64_t offset = k * dilation[axis] - pad_begin[axis];
  const int64_t first = offset >= 0 ? 0 : ceil_divide(-offset, stride[axis]);
  const int64_t last = offset >= in[axis] ? 0 : ceil_divide(in[axis] - offset, stride[axis]);
  return {std::min(first, out[axis]), std::min(std::max(first, last), out[axis])};
}

AutoPad auto_pad_of(const OpCall& call) {
  const std::string word = call.node.string_or("auto_pad", "NOTSET");
  if (word == "NOTSET") return AutoPad::NotSet;
  if (word == "SAME_UPPER") return AutoPad::SameUpper;
  if (word == "SAME_LOWER") return AutoPad::SameLower;
  if (word == "VALID") return AutoPad::Valid;
  call.refuse("auto_pad must be NOTSET, SAME_UPPER, SAME_LOWER or VALID, found '{}'", word);
}

Window read_window(const OpCall& call, std::span<const int64_t> in, std::span<const int64_t> kernel) {
  const size_t rank = in.size();
  if (rank < 1 || rank > 3) {
    fail(ErrorCode::Unsupported, describe(call.graph, call.node),
         "the interpreter computes windows of 1 to 3 spatial dimensions, found {}", rank);
  }
  const auto strides = call.node.ints_or("strides", std::vector<int64_t>(rank, 1));
  const auto dilations = call.node.ints_or("dilations", std::vector<int64_t>(rank, 1));
  const auto pads = call.node.ints_or("pads", std::vector<int64_t>(2 * rank, 0));
  check_extents(call, "the input's spatial shape", {in.begin(), in.end()}, rank, 0);
  check_extents(call, "kernel_shape", {kernel.begin(), kernel.end()}, rank, 1);
  check_extents(call, "strides", strides, rank, 1);
  check_extents(call, "dilations", dilations, rank, 1);
  check_extents(call, "pads", pads, 2 * rank, 0);

  Window window;
  for (size_t i = 0; i < rank; ++i) {
    const size_t axis = 3 - rank + i;
    window.in[axis] = in[i];
    window.kernel[axis] = kernel[i];
    window.stride[axis] = strides[i];
    window.dilation[axis] = dilations[i];
    window.pad_begin[axis] = pads[i];
    window.pad_end[axis] = pads[rank + i];
  }
  return window;
}

Window read_sliding_window(const OpCall& call, std::span<const int64_t> in, std::span<const int64_t> kernel) {
  Window window = read_window(call, in, kernel);
  const AutoPad auto_pad = auto_pad_of(call);
  const bool ceil_mode = call.node.int_or("ceil_mode", 0) != 0;
  for (size_t axis = 3 - in.size(); axis < 3; ++axis) {
    const int64_t stride = window.stride[axis];
    const int64_t reach = window.reach(axis);
    if (auto_pad == AutoPad::SameUpper || auto_pad == AutoPad::SameLower) {
      window.out[axis] = ceil_divide(window.in[axis], stride);
      const int64_t total = std::max<int64_t>((window.out[axis] - 1) * stride + reach - window.in[axis], 0);
      window.pad_begin[axis] = auto_pad == AutoPad::SameUpper ? total / 2 : total - total / 2;
      window.pad_end[axis] = total - window.pad_begin[axis];
      continue;
    }
    if (auto_pad == AutoPad::Valid) window.pad_begin[axis] = window.pad_end[axis] = 0;
    const int64_t slack = window.in[axis] + window.pad_begin[axis] + window.pad_end[axis] - reach;
    if (slack < 0) {
      call.refuse("a window that reaches over {} elements requires a padded input at least as large, found {}", reach,
                  slack + reach);
    }
    window.out[axis] = (ceil_mode ? ceil_divide(slack, stride) : slack / stride) + 1;
    if (ceil_mode && (window.out[axis] - 1) * stride >= window.in[axis] + window.pad_begin[axis]) --window.out[axis];
  }
  return window;
}

Shape output_shape(int64_t batch, int64_t channels, const Window& window, int64_t spatial_rank) {
  Shape shape = {batch, channels};
  shape.insert(shape.end(), window.out.end() - spatial_rank, window.out.end());
  return shape;
}

}  // namespace halftone::sim::ops
