// Softmax, LogSoftmax, Hardmax. https://onnx.ai/onnx/operators/onnx__Softmax.html
#include <cmath>

#include "halftone/sim/ops.h"
#include "halftone/sim/ops/typed_operands.h"

namespace halftone::sim::ops {
namespace {

// Since opset 13 one axis is normalized, the last by default; before, the operand was flattened to a matrix at `axis`
// (1 by default) and its rows were.
AxisView normalized_view(const OpCall& call) {
  const Shape& shape = call.input(0).shape();
  const auto rank = static_cast<int64_t>(shape.size());
  if (call.opset >= 13) {
    if (rank == 0) return {1, 1, 1};
    return view_along(shape, normalize_axis(call.node.int_or("axis", -1), rank));
  }
  const int64_t axis = call.node.int_or("axis", 1);
  const int64_t at = axis == rank ? rank : normalize_axis(axis, rank);
  return {element_count(Shape(shape.begin(), shape.begin() + at)),
          element_count(Shape(shape.begin() + at, shape.end())), 1};
}

// Calls row(first, stride, count) for each group of elements that are normalized together.
template <typename T, typename F>
std::vector<Tensor> for_each_row(const OpCall& call, F row) {
  Tensor y = call.input(0);
  const AxisView view = normalized_view(call);
  T* data = y.mutable_data<T>().data();
  if (view.length == 0) return {y};
  for (int64_t o = 0; o < view.outer; ++o) {
    for (int64_t i = 0; i < view.inner; ++i) row(data + o * view.length * view.inner + i, view.inner, view.length);
  }
  return {y};
}

template <typename T>
T largest(const T* row, int64_t stride, int64_t count) {
  T best = row[0];
  for (int64_t i = 1; i < count; ++i) best = std::max(best, row[i * stride]);
  return best;
}

}  // namespace

// The largest element is subtracted first, so that exp does not overflow; sums run in ascending order.
std::vector<Tensor> softmax(const OpCall& call) {
  return in_floating(call, []<typename T>(const OpCall& c) {
    return for_each_row<T>(c, [](T* row, int64_t stride, int64_t count) {
      const T shift = largest(row, stride, count);
      T sum{0};
      for (int64_t i = 0; i < count; ++i) sum += row[i * stride] = std::exp(row[i * stride] - shift);
      for (int64_t i = 0; i < count; ++i) row[i * stride] /= sum;
    });
  });
}

std::vector<Tensor> log_softmax(const OpCall& call) {
  return in_floating(call, []<typename T>(const OpCall& c) {
    return for_each_row<T>(c, [](T* row, int64_t stride, int64_t count) {
      const T shift = largest(row, stride, count);
      T sum{0};
      for (int64_t i = 0; i < count; ++i) sum += std::exp(row[i * stride] - shift);
      const T log_sum = std::log(sum);
      for (int64_t i = 0; i < count; ++i) row[i * stride] = row[i * stride] - shift - log_sum;
    });
  });
}

// 1 at the first of the largest elements, 0 elsewhere.
std::vector<Tensor> hardmax(const OpCall& call) {
  return in_floating(call, []<typename T>(const OpCall& c) {
    return for_each_row<T>(c, [](T* row, int64_t stride, int64_t count) {
      int64_t best = 0;
      for (int64_t i = 1; i < count; ++i) {
        if (row[i * stride] > row[best * stride]) best = i;
      }
      for (int64_t i = 0; i < count; ++i) row[i * stride] = i == best ? T{1} : T{0};
    });
  });
}

}  // namespace halftone::sim::ops
