// Reductions. https://onnx.ai/onnx/operators/onnx__ReduceSum.html
#include <numeric>

#include "halftone/train/op.h"

namespace halftone::train::ops {
namespace {

struct Reduction {
  std::vector<int64_t> axes;
  bool keep = true;
};

Reduction read_reduction(const OpCall& call) {
  // The newest operator sets have the axes as an input, older ones as an attribute.
  Reduction reduction{call.integers_or(1, call.node.ints_or("axes", {})), call.node.int_or("keepdims", 1) != 0};
  if (reduction.axes.empty() && call.node.int_or("noop_with_empty_axes", 0) == 0) {
    reduction.axes.resize(static_cast<size_t>(call.input(0).dim()));
    std::iota(reduction.axes.begin(), reduction.axes.end(), 0);
  }
  return reduction;
}

template <typename F>
std::vector<at::Tensor> reduced(const OpCall& call, F function) {
  const Reduction reduction = read_reduction(call);
  if (reduction.axes.empty()) return {call.input(0)};
  return {function(call.input(0), reduction.axes, reduction.keep)};
}

}  // namespace

using Axes = const std::vector<int64_t>&;

std::vector<at::Tensor> reduce_sum(const OpCall& call) {
  return reduced(call, [](const at::Tensor& x, Axes axes, bool keep) { return at::sum(x, axes, keep); });
}
std::vector<at::Tensor> reduce_mean(const OpCall& call) {
  return reduced(call, [](const at::Tensor& x, Axes axes, bool keep) { return at::mean(x, axes, keep); });
}
std::vector<at::Tensor> reduce_max(const OpCall& call) {
  return reduced(call, [](const at::Tensor& x, Axes axes, bool keep) { return at::amax(x, axes, keep); });
}
std::vector<at::Tensor> reduce_min(const OpCall& call) {
  return reduced(call, [](const at::Tensor& x, Axes axes, bool keep) { return at::amin(x, axes, keep); });
}
std::vector<at::Tensor> reduce_l2(const OpCall& call) {
  return reduced(call, [](const at::Tensor& x, Axes axes, bool keep) { return at::sqrt(at::sum(x * x, axes, keep)); });
}
std::vector<at::Tensor> reduce_sum_square(const OpCall& call) {
  return reduced(call, [](const at::Tensor& x, Axes axes, bool keep) { return at::sum(x * x, axes, keep); });
}

}  // namespace halftone::train::ops
