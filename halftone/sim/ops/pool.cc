// AveragePool, LpPool. https://onnx.ai/onnx/operators/onnx__AveragePool.html
#include <algorithm>
#include <cmath>

#include "halftone/sim/ops.h"
#include "halftone/sim/ops/pool_loops.h"

namespace halftone::sim::ops {
namespace {

// Taps along one axis of output position `o` that lie inside the padded input; a last window of ceil_mode may reach
// beyond it.
int64_t taps_in_padded(const Window& window, size_t axis, int64_t o) {
  const int64_t room = window.in[axis] + window.pad_begin[axis] + window.pad_end[axis] - o * window.stride[axis];
  return std::min(window.kernel[axis], (room + window.dilation[axis] - 1) / window.dilation[axis]);
}

}  // namespace

int64_t count_in_padded(const Window& window, const Window::Extents& o) {
  return taps_in_padded(window, 0, o[0]) * taps_in_padded(window, 1, o[1]) * taps_in_padded(window, 2, o[2]);
}

PoolShape read_pool_shape(const OpCall& call, const Shape& x) {
  const std::vector<int64_t> kernel = call.node.ints_or("kernel_shape", {});
  if (x.size() < 3 || kernel.size() != x.size() - 2) {
    call.refuse("requires an input [N, C, spatial...] and a kernel_shape for it, found {} and {}", to_string(x),
                to_string(kernel));
  }
  PoolShape shape{element_count({x[0], x[1]}), read_sliding_window(call, std::span(x).subspan(2), kernel), {}};
  shape.output = output_shape(x[0], x[1], shape.window, static_cast<int64_t>(kernel.size()));
  return shape;
}

// The mean over the taps inside the input, or with count_include_pad over those inside the padded input.
std::vector<Tensor> average_pool(const OpCall& call) {
  const bool include_pad = call.node.int_or("count_include_pad", 0) != 0;
  return in_floating(call, [&]<typename T>(const OpCall& c) -> std::vector<Tensor> {
    const PoolShape shape = read_pool_shape(c, c.input(0).shape());
    Tensor y = new_tensor<T>(shape.output);
    for_each_output(shape, elements<T>(c, 0).data(), y.mutable_data<T>().data(),
                    [&](const T* plane, const Window::Extents& o) {
                      T sum{0};
                      int64_t count = 0;
                      for_each_tap(shape.window, o, [&](int64_t i) {
                        sum += plane[i];
                        ++count;
                      });
                      if (include_pad) count = count_in_padded(shape.window, o);
                      return count == 0 ? T{0} : sum / static_cast<T>(count);
                    });
    return {y};
  });
}

// (sum |x|^p)^(1/p)
std::vector<Tensor> lp_pool(const OpCall& call) {
  const int64_t p = call.node.int_or("p", 2);
  if (p < 1) call.refuse("p must be 1 or more, found {}", p);
  return in_floating(call, [&]<typename T>(const OpCall& c) -> std::vector<Tensor> {
    const PoolShape shape = read_pool_shape(c, c.input(0).shape());
    Tensor y = new_tensor<T>(shape.output);
    const T power = static_cast<T>(p);
    for_each_output(shape, elements<T>(c, 0).data(), y.mutable_data<T>().data(),
                    [&](const T* plane, const Window::Extents& o) {
                      T sum{0};
                      for_each_tap(shape.window, o, [&](int64_t i) { sum += std::pow(std::abs(plane[i]), power); });
                      return std::pow(sum, T{1} / power);
                    });
    return {y};
  });
}

}  // namespace halftone::sim::ops
