#include "halftone/graph/ops/window.h"

#include <string>

namespace halftone::rules {
namespace {

std::vector<int64_t> spatial_list(const InferContext& ctx, std::string_view name, size_t count, int64_t fallback,
                                  int64_t lowest) {
  std::vector<int64_t> list = ctx.node().ints_or(name, std::vector<int64_t>(count, fallback));
  if (list.size() != count) ctx.refuse("{} must have {} entries, found {}", name, count, list.size());
  for (int64_t entry : list) {
    if (entry < lowest) ctx.refuse("{} must be at least {}, found {}", name, lowest, entry);
  }
  return list;
}

}  // namespace

int64_t Window::reach(const InferContext& ctx, size_t axis) const {
  return add_checked(ctx, multiply_checked(ctx, kernel[axis] - 1, dilations[axis]), 1);
}

Window window_of(const InferContext& ctx, std::vector<int64_t> kernel) {
  const size_t count = kernel.size();
  Window window;
  for (int64_t extent : kernel) {
    if (extent < 1) ctx.refuse("a kernel must be at least 1 in each direction, found {}", extent);
  }
  window.kernel = std::move(kernel);
  window.strides = spatial_list(ctx, "strides", count, 1, 1);
  window.dilations = spatial_list(ctx, "dilations", count, 1, 1);
  const std::vector<int64_t> pads = spatial_list(ctx, "pads", 2 * count, 0, 0);
  window.pads_begin.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(count));
  window.pads_end.assign(pads.begin() + static_cast<std::ptrdiff_t>(count), pads.end());

  const std::string auto_pad = ctx.node().string_or("auto_pad", "NOTSET");
  if (auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") {
    window.padding = Window::Padding::Same;
  } else if (auto_pad == "VALID") {
    window.padding = Window::Padding::Valid;
  } else if (auto_pad != "NOTSET") {
    ctx.refuse("auto_pad must be NOTSET, SAME_UPPER, SAME_LOWER or VALID, found '{}'", auto_pad);
  }
  return window;
}

Dim slide(const InferContext& ctx, const Window& window, size_t axis, const Dim& in, bool ceil_mode) {
  const int64_t stride = window.strides[axis];
  const bool same = window.padding == Window::Padding::Same;
  const bool padded = window.padding == Window::Padding::Explicit;
  const int64_t pad_begin = padded ? window.pads_begin[axis] : 0;
  const int64_t pads = padded ? add_checked(ctx, pad_begin, window.pads_end[axis]) : 0;
  const int64_t reach = window.reach(ctx, axis);
  if (!in.known()) return stride == 1 && (same || pads == reach - 1) ? in : Dim{};
  if (same) return in.value / stride + (in.value % stride != 0 ? 1 : 0);

  const int64_t room = add_checked(ctx, in.value, pads) - reach;
  if (room < 0) {
    ctx.refuse("a window of {} (dilation included) does not fit spatial axis {} of extent {} with {} of padding", reach,
               axis, in.value, pads);
  }
  int64_t count = room / stride + 1;
  if (ceil_mode && padded && room % stride != 0) {
    const int64_t start = multiply_checked(ctx, count, stride);
    if (start < add_checked(ctx, in.value, pad_begin)) ++count;
  }
  return count;
}

}  // namespace halftone::rules
