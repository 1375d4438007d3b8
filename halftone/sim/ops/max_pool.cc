// MaxPool. https://onnx.ai/onnx/operators/onnx__MaxPool.html
#include <limits>

#include "halftone/sim/ops.h"
#include "halftone/sim/ops/pool_loops.h"

namespace halftone::sim::ops {
namespace {

// A position within the plane, counted with the first spatial dimension fastest (storage_order 1).
int64_t column_major(const Window& window, int64_t position) {
  const int64_t w = position % window.in[2];
  const int64_t h = position / window.in[2] % window.in[1];
  const int64_t d = position / window.in[2] / window.in[1];
  return d + window.in[0] * (h + window.in[1] * w);
}

template <typename T>
std::vector<Tensor> max_pool_of(const OpCall& call) {
  const PoolShape shape = read_pool_shape(call, call.input(0).shape());
  const Window& window = shape.window;
  const bool by_columns = call.node.int_or("storage_order", 0) != 0;
  const bool wants_indices = call.node.output(1) != ValueId::None;
  Tensor y = new_tensor<T>(shape.output);
  Tensor indices = wants_indices ? new_tensor<int64_t>(shape.output) : Tensor();
  int64_t* index = wants_indices ? indices.mutable_data<int64_t>().data() : nullptr;

  const T* x = elements<T>(call, 0).data();
  for_each_output(shape, x, y.mutable_data<T>().data(), [&](const T* plane, const Window::Extents& o) {
    // A dilated window may have all its taps in the padding.
    constexpr bool has_infinity = std::numeric_limits<T>::has_infinity;
    T best = has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
    int64_t at = -1;
    for_each_tap(window, o, [&](int64_t i) {
      if (at >= 0 && !(plane[i] > best)) return;
      best = plane[i];
      at = i;
    });
    if (wants_indices) *index++ = at < 0 ? -1 : plane - x + (by_columns ? column_major(window, at) : at);
    return best;
  });
  if (!wants_indices) return {y};
  return {y, indices};
}

}  // namespace

std::vector<Tensor> max_pool(const OpCall& call) {
  return in_numeric(call, []<typename T>(const OpCall& c) { return max_pool_of<T>(c); });
}

}  // namespace halftone::sim::ops
