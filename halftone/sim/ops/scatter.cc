#include <string>

#include "halftone/sim/ops.h"
#include "halftone/sim/ops/arithmetic.h"
#include "halftone/sim/ops/element_writer.h"
#include "halftone/sim/ops/parameters.h"

namespace halftone::sim::ops {
namespace {

// Element targets[i] of the data is combined with element i of the updates, in order.
template <typename F>
Tensor combine(const Tensor& data, const Tensor& updates, const std::vector<int64_t>& targets, F&& f) {
  const DType arithmetic = arithmetic_type(data.dtype());
  return dispatch_arithmetic(arithmetic, [&](auto zero) {
    using T = decltype(zero);
    Tensor result = convert(data, arithmetic);
    const Tensor converted = convert(updates, arithmetic);
    const std::span<T> out = result.mutable_data<T>();
    for (size_t i = 0; i < targets.size(); ++i) {
      T& target = out[static_cast<size_t>(targets[i])];
      target = f(target, converted.data<T>()[i]);
    }
    return convert(result, data.dtype());
  });
}

Tensor scatter(const OpCall& call, const std::vector<int64_t>& targets) {
  const Tensor &data = call.input(0), &updates = call.input(2);
  if (updates.dtype() != data.dtype()) {
    call.refuse("updates must be {} like the data, found {}", name_of(data.dtype()), name_of(updates.dtype()));
  }
  const std::string reduction = call.node.string_or("reduction", "none");
  if (reduction == "none") {
    ElementWriter writer(data);
    for (size_t i = 0; i < targets.size(); ++i) writer.copy(targets[i], updates, static_cast<int64_t>(i));
    return std::move(writer).finish();
  }
  if (reduction == "add") return combine(data, updates, targets, [](auto a, auto b) { return wrapping_add(a, b); });
  if (reduction == "mul") return combine(data, updates, targets, [](auto a, auto b) { return wrapping_mul(a, b); });
  if (reduction == "min") return combine(data, updates, targets, [](auto a, auto b) { return smaller(a, b); });
  if (reduction == "max") return combine(data, updates, targets, [](auto a, auto b) { return larger(a, b); });
  call.refuse("attribute 'reduction' must be none, add, mul, min or max, found '{}'", reduction);
}

}  // namespace

std::vector<Tensor> scatter_elements(const OpCall& call) {
  const Tensor &data = call.input(0), &indices = call.input(1), &updates = call.input(2);
  const int64_t axis = normalize_axis(call.node.int_or("axis", 0), data.rank());
  bool fits = indices.rank() == data.rank() && indices.shape() == updates.shape();
  for (int64_t d = 0; fits && d < data.rank(); ++d) fits = d == axis || indices.dim(d) <= data.dim(d);
  if (!fits) {
    call.refuse("indices {} and updates {} don't fit into {}", to_string(indices.shape()), to_string(updates.shape()),
                to_string(data.shape()));
  }
  std::vector<int64_t> strides = contiguous_strides(data.shape());
  const int64_t stride = strides[static_cast<size_t>(axis)];
  strides[static_cast<size_t>(axis)] = 0;
  std::vector<int64_t> targets = strided_indices(indices.shape(), strides);
  const std::vector<int64_t> along = integers(call, 1);
  for (size_t i = 0; i < targets.size(); ++i) targets[i] += normalize_index(call, along[i], data.dim(axis)) * stride;
  return {scatter(call, targets)};
}

std::vector<Tensor> scatter_nd(const OpCall& call) {
  const Tensor &data = call.input(0), &indices = call.input(1), &updates = call.input(2);
  const int64_t depth = indices.rank() < 1 ? 0 : indices.dim(indices.rank() - 1);
  if (depth < 1 || depth > data.rank()) {
    call.refuse("indices of {} don't fit into {}", to_string(indices.shape()), to_string(data.shape()));
  }
  Shape expected(indices.shape().begin(), indices.shape().end() - 1);
  expected.insert(expected.end(), data.shape().begin() + depth, data.shape().end());
  if (updates.shape() != expected) {
    call.refuse("updates must be {}, found {}", to_string(expected), to_string(updates.shape()));
  }
  const std::vector<int64_t> strides = contiguous_strides(data.shape());
  const int64_t slice = element_count(Shape(data.shape().begin() + depth, data.shape().end()));
  const std::vector<int64_t> tuples = integers(call, 1);
  std::vector<int64_t> targets;
  for (size_t tuple = 0; tuple < tuples.size(); tuple += static_cast<size_t>(depth)) {
    int64_t start = 0;
    for (int64_t d = 0; d < depth; ++d) {
      start +=
          normalize_index(call, tuples[tuple + static_cast<size_t>(d)], data.dim(d)) * strides[static_cast<size_t>(d)];
    }
    for (int64_t i = 0; i < slice; ++i) targets.push_back(start + i);
  }
  return {scatter(call, targets)};
}

}  // namespace halftone::sim::ops
