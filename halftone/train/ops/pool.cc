// Pools. https://onnx.ai/onnx/operators/onnx__AveragePool.html
#include <limits>
#include <numeric>

#include "halftone/train/ops/window.h"

namespace halftone::train::ops {
namespace {

constexpr double kLowest = -std::numeric_limits<double>::infinity();

// The window over a two-dimensional operand: a single dimension gets one of extent 1 before it. Pools of three
// dimensions have no gradient here.
struct Plane {
  at::Tensor x;
  Window window;
  bool added_dimension = false;

  at::Tensor restored(const at::Tensor& y) const { return added_dimension ? y.squeeze(2) : y; }
};

Plane read_plane(const OpCall& call) {
  Plane plane{call.input(0), read_window(call, call.input(0), call.node.ints_or("kernel_shape", {}))};
  Window& window = plane.window;
  if (window.kernel.size() > 2) {
    fail(ErrorCode::Unsupported, describe(call.graph, call.node),
         "training takes pools of 1 or 2 spatial dimensions, found {}", window.kernel.size());
  }
  if (window.kernel.size() == 1) {
    plane.x = plane.x.unsqueeze(2);
    plane.added_dimension = true;
    for (auto* list : {&window.kernel, &window.stride, &window.dilation}) list->insert(list->begin(), 1);
    for (auto* list : {&window.pad_begin, &window.pad_end}) list->insert(list->begin(), 0);
  }
  return plane;
}

// With ceil_mode the last window may reach beyond the padding: so much is missing at each dimension's end, and a
// window that would start beyond the input and its first padding is dropped.
void extend_for_ceil_mode(Plane& plane) {
  Window& window = plane.window;
  if (!window.ceil_mode) return;
  for (size_t i = 0; i < window.kernel.size(); ++i) {
    const int64_t in = plane.x.size(static_cast<int64_t>(i) + 2);
    const int64_t reach = (window.kernel[i] - 1) * window.dilation[i] + 1;
    const int64_t room = in + window.pad_begin[i] + window.pad_end[i];
    int64_t out = (room - reach + window.stride[i] - 1) / window.stride[i] + 1;
    if ((out - 1) * window.stride[i] >= in + window.pad_begin[i]) --out;
    window.pad_end[i] += std::max<int64_t>((out - 1) * window.stride[i] + reach - room, 0);
  }
}

std::vector<int64_t> spatial_axes(const OpCall& call) {
  std::vector<int64_t> axes(static_cast<size_t>(std::max<int64_t>(call.input(0).dim() - 2, 0)));
  std::iota(axes.begin(), axes.end(), 2);
  if (axes.empty()) call.refuse("requires an input [N, C, spatial...], found rank {}", call.input(0).dim());
  return axes;
}

// Sums over windows, as a depthwise convolution with ones would, of an operand that has its padding.
at::Tensor window_sums(const at::Tensor& x, const Window& window) {
  const int64_t channels = x.size(1);
  const at::Tensor ones = at::ones({channels, 1, window.kernel[0], window.kernel[1]}, x.options());
  return at::convolution(x, ones, {}, window.stride, {0, 0}, window.dilation, false, {0, 0}, channels);
}

}  // namespace

std::vector<at::Tensor> max_pool(const OpCall& call) {
  if (call.node.output(1) != ValueId::None) {
    fail(ErrorCode::Unsupported, describe(call.graph, call.node), "training takes MaxPool without Indices");
  }
  Plane plane = read_plane(call);
  extend_for_ceil_mode(plane);
  const at::Tensor x = padded(plane.x, plane.window, kLowest);
  return {plane.restored(at::max_pool2d(x, plane.window.kernel, plane.window.stride, {0, 0}, plane.window.dilation))};
}

// The mean over the taps inside the input, or with count_include_pad over those inside the padded input.
std::vector<at::Tensor> average_pool(const OpCall& call) {
  Plane plane = read_plane(call);
  const bool include_pad = call.node.int_or("count_include_pad", 0) != 0;
  Window declared = plane.window;
  extend_for_ceil_mode(plane);
  const Window& window = plane.window;
  const bool plain = window.dilation == std::vector<int64_t>{1, 1};
  if (plain && window.symmetric_padding() && declared.pad_end == window.pad_end) {
    return {
        plane.restored(at::avg_pool2d(plane.x, window.kernel, window.stride, window.pad_begin, false, include_pad))};
  }
  // What each window divides by is what it sums of a plane of ones.
  at::Tensor ones = at::ones({1, 1, plane.x.size(2), plane.x.size(3)}, plane.x.options());
  if (include_pad) ones = padded(ones, declared, 1);
  Window rest = window;
  if (include_pad) {
    rest.pad_begin = {0, 0};
    for (size_t i = 0; i < 2; ++i) rest.pad_end[i] -= declared.pad_end[i];
  }
  const at::Tensor counts = window_sums(padded(ones, rest, 0), window);
  return {plane.restored(window_sums(padded(plane.x, window, 0), window) / counts)};
}

std::vector<at::Tensor> global_average_pool(const OpCall& call) {
  return {at::mean(call.input(0), spatial_axes(call), true)};
}

std::vector<at::Tensor> global_max_pool(const OpCall& call) {
  return {at::amax(call.input(0), spatial_axes(call), true)};
}

}  // namespace halftone::train::ops
