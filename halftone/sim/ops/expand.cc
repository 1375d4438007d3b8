#include "halftone/sim/ops.h"
#include "halftone/sim/ops/element_writer.h"
#include "halftone/sim/ops/parameters.h"

namespace halftone::sim::ops {

std::vector<Tensor> expand(const OpCall& call) {
  const Tensor& x = call.input(0);
  return {broadcast_to(call, x, check_size(broadcast(x.shape(), integers(call, 1))))};
}

std::vector<Tensor> tile(const OpCall& call) {
  const Tensor& x = call.input(0);
  const std::vector<int64_t> repeats = integers(call, 1);
  if (static_cast<int64_t>(repeats.size()) != x.rank()) {
    call.refuse("one repeat per dimension of {} is required, found {}", to_string(x.shape()), repeats.size());
  }
  Shape shape = x.shape();
  for (size_t d = 0; d < shape.size(); ++d) {
    if (repeats[d] < 0 || __builtin_mul_overflow(shape[d], repeats[d], &shape[d])) {
      call.refuse("{} can't be repeated {} times", shape[d], repeats[d]);
    }
  }
  if (element_count(check_size(shape)) == 0) return {Tensor(x.dtype(), shape)};
  std::vector<std::vector<int64_t>> picks(shape.size());
  for (size_t d = 0; d < shape.size(); ++d) {
    picks[d] = all_of(shape[d]);
    for (int64_t& i : picks[d]) i %= x.shape()[d];
  }
  return {select(x, picks)};
}

std::vector<Tensor> transpose(const OpCall& call) {
  const Tensor& x = call.input(0);
  std::vector<int64_t> reversed = all_of(x.rank());
  for (int64_t& axis : reversed) axis = x.rank() - 1 - axis;
  const std::vector<int64_t> order = normalize_axes(call, call.node.ints_or("perm", reversed), x.rank());
  if (static_cast<int64_t>(order.size()) != x.rank()) {
    call.refuse("perm must order the axes of {}, found {} entries", to_string(x.shape()), order.size());
  }
  const std::vector<int64_t> own = contiguous_strides(x.shape());
  Shape shape;
  std::vector<int64_t> strides;
  for (const int64_t axis : order) {
    shape.push_back(x.dim(axis));
    strides.push_back(own[static_cast<size_t>(axis)]);
  }
  return {take(x, shape, strided_indices(shape, strides))};
}

std::vector<Tensor> where(const OpCall& call) {
  const Tensor &x = call.input(1), &y = call.input(2);
  if (call.input(0).dtype() != DType::Bool || x.dtype() != y.dtype()) {
    call.refuse("a bool condition and two values of one type are required, found {}, {} and {}",
                name_of(call.input(0).dtype()), name_of(x.dtype()), name_of(y.dtype()));
  }
  const Shape shape = broadcast(call.input(0).shape(), broadcast(x.shape(), y.shape()));
  const std::vector<int32_t> condition = to_vector<int32_t>(broadcast_to(call, call.input(0), shape));
  const Tensor when_true = broadcast_to(call, x, shape);
  ElementWriter writer(broadcast_to(call, y, shape));
  for (int64_t i = 0; i < writer.size(); ++i) {
    if (condition[static_cast<size_t>(i)] != 0) writer.copy(i, when_true, i);
  }
  return {std::move(writer).finish()};
}

}  // namespace halftone::sim::ops
