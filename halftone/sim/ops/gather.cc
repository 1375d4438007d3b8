#include "halftone/sim/ops.h"
#include "halftone/sim/ops/element_writer.h"
#include "halftone/sim/ops/parameters.h"

namespace halftone::sim::ops {
namespace {

std::vector<std::vector<int64_t>> everything(const Shape& shape) {
  std::vector<std::vector<int64_t>> picks;
  for (const int64_t dim : shape) picks.push_back(all_of(dim));
  return picks;
}

}  // namespace

std::vector<Tensor> gather(const OpCall& call) {
  const Tensor& x = call.input(0);
  const int64_t axis = normalize_axis(call.node.int_or("axis", 0), x.rank());
  std::vector<std::vector<int64_t>> picks = everything(x.shape());
  std::vector<int64_t>& pick = picks[static_cast<size_t>(axis)];
  pick = integers(call, 1);
  for (int64_t& i : pick) i = normalize_index(call, i, x.dim(axis));

  Shape shape = x.shape();
  const Shape& inserted = call.input(1).shape();
  shape.erase(shape.begin() + axis);
  shape.insert(shape.begin() + axis, inserted.begin(), inserted.end());
  return {select(x, picks).reshaped(shape)};
}

std::vector<Tensor> gather_elements(const OpCall& call) {
  const Tensor &x = call.input(0), &indices = call.input(1);
  const int64_t axis = normalize_axis(call.node.int_or("axis", 0), x.rank());
  bool fits = indices.rank() == x.rank();
  for (int64_t d = 0; fits && d < x.rank(); ++d) fits = d == axis || indices.dim(d) <= x.dim(d);
  if (!fits) call.refuse("indices of {} don't fit into {}", to_string(indices.shape()), to_string(x.shape()));

  // Where each index stands in x with its own axis counted as 0; the index itself then says how far along that axis.
  std::vector<int64_t> strides = contiguous_strides(x.shape());
  const int64_t stride = strides[static_cast<size_t>(axis)];
  strides[static_cast<size_t>(axis)] = 0;
  std::vector<int64_t> positions = strided_indices(indices.shape(), strides);
  const std::vector<int64_t> along = integers(call, 1);
  for (size_t i = 0; i < positions.size(); ++i) positions[i] += normalize_index(call, along[i], x.dim(axis)) * stride;
  return {take(x, indices.shape(), positions)};
}

std::vector<Tensor> gather_nd(const OpCall& call) {
  const Tensor &x = call.input(0), &indices = call.input(1);
  const int64_t batch_dims = call.node.int_or("batch_dims", 0);
  if (batch_dims < 0 || indices.rank() < 1 || batch_dims >= std::min(x.rank(), indices.rank())) {
    call.refuse("batch_dims must lie in [0, rank), found {} for {} and {}", batch_dims, to_string(x.shape()),
                to_string(indices.shape()));
  }
  const int64_t depth = indices.dim(indices.rank() - 1);
  bool fits = depth >= 1 && batch_dims + depth <= x.rank();
  for (int64_t d = 0; fits && d < batch_dims; ++d) fits = x.dim(d) == indices.dim(d);
  if (!fits) call.refuse("indices of {} don't fit into {}", to_string(indices.shape()), to_string(x.shape()));

  const Shape slice(x.shape().begin() + batch_dims + depth, x.shape().end());
  const int64_t slice_size = element_count(slice);
  const int64_t batches = element_count(Shape(x.shape().begin(), x.shape().begin() + batch_dims));
  const std::vector<int64_t> strides = contiguous_strides(x.shape());
  const std::vector<int64_t> tuples = integers(call, 1);
  const int64_t count = static_cast<int64_t>(tuples.size()) / depth;

  Shape shape(indices.shape().begin(), indices.shape().end() - 1);
  shape.insert(shape.end(), slice.begin(), slice.end());
  ElementWriter writer(x.dtype(), shape);
  for (int64_t i = 0; i < count; ++i) {
    int64_t from = i / (count / batches) * (x.size() / batches);
    for (int64_t d = 0; d < depth; ++d) {
      const int64_t index = tuples[static_cast<size_t>(i * depth + d)];
      from += normalize_index(call, index, x.dim(batch_dims + d)) * strides[static_cast<size_t>(batch_dims + d)];
    }
    writer.copy_range(i * slice_size, x, from, slice_size);
  }
  return {std::move(writer).finish()};
}

// Without an axis, from the flattened tensor.
std::vector<Tensor> compress(const OpCall& call) {
  const bool flat = call.node.find_attribute("axis") == nullptr;
  const Tensor x = flat ? call.input(0).reshaped({call.input(0).size()}) : call.input(0);
  const int64_t axis = flat ? 0 : normalize_axis(call.node.int_or("axis", 0), x.rank());
  const std::vector<int32_t> condition = to_vector<int32_t>(call.input(1));
  if (static_cast<int64_t>(condition.size()) > x.dim(axis)) {
    call.refuse("at most {} conditions are required, found {}", x.dim(axis), condition.size());
  }
  std::vector<std::vector<int64_t>> picks = everything(x.shape());
  std::vector<int64_t>& pick = picks[static_cast<size_t>(axis)];
  pick.clear();
  for (size_t i = 0; i < condition.size(); ++i) {
    if (condition[i] != 0) pick.push_back(static_cast<int64_t>(i));
  }
  return {select(x, picks)};
}

// Positions of the nonzero elements, one column each, in row-major order.
std::vector<Tensor> non_zero(const OpCall& call) {
  const Tensor& x = call.input(0);
  const Tensor nonzero = convert(x, DType::Bool);
  std::vector<int64_t> found;
  for (int64_t i = 0; i < x.size(); ++i) {
    if (nonzero.data<uint8_t>()[static_cast<size_t>(i)] != 0) found.push_back(i);
  }
  const std::vector<int64_t> strides = contiguous_strides(x.shape());
  std::vector<int64_t> positions;
  for (int64_t d = 0; d < x.rank(); ++d) {
    for (const int64_t i : found) positions.push_back(i / strides[static_cast<size_t>(d)] % x.dim(d));
  }
  return {Tensor::from({x.rank(), static_cast<int64_t>(found.size())}, positions)};
}

}  // namespace halftone::sim::ops
