#include <algorithm>

#include "halftone/graph/ops/rules.h"

namespace halftone::rules {
namespace {

// `dims` with the axes set to 1 or removed.
Dims reduced(const Dims& dims, const std::vector<size_t>& axes, bool keepdims) {
  Dims result;
  for (size_t i = 0; i < dims.size(); ++i) {
    const bool gone = std::find(axes.begin(), axes.end(), i) != axes.end();
    if (!gone) {
      result.push_back(dims[i]);
    } else if (keepdims) {
      result.push_back(1);
    }
  }
  return result;
}

std::vector<size_t> all_axes(size_t rank) {
  std::vector<size_t> axes(rank);
  for (size_t i = 0; i < rank; ++i) axes[i] = i;
  return axes;
}

}  // namespace

void reduce(InferContext& ctx) {
  const DType dtype = dtype_of_input(ctx, 0);
  const bool keepdims = ctx.node().int_or("keepdims", 1) != 0;
  const ListOperand axes = list_operand(ctx, "axes", 1);
  const Dims* x = dims_of(ctx, 0);
  if (x == nullptr) {
    ctx.set_output(0, typed(dtype));
    return;
  }
  if (axes.present && !axes.list) {
    // Which axes go is decided in a run; how many are kept is known only with keepdims.
    ctx.set_output(0, keepdims ? typed(dtype, unknown_dims(x->size())) : typed(dtype));
    return;
  }
  if (!axes.present || axes.list->empty()) {
    const bool noop = ctx.node().int_or("noop_with_empty_axes", 0) != 0;
    ctx.set_output(0, typed(dtype, noop ? *x : reduced(*x, all_axes(x->size()), keepdims)));
    return;
  }
  const auto rank = static_cast<int64_t>(x->size());
  ctx.set_output(0, typed(dtype, reduced(*x, axes_in(ctx, *axes.list, rank), keepdims)));
}

void arg_reduce(InferContext& ctx) {
  const Dims* x = dims_of(ctx, 0);
  if (x == nullptr) {
    ctx.set_output(0, typed(DType::Int64));
    return;
  }
  const auto rank = static_cast<int64_t>(x->size());
  const size_t axis = axis_in(ctx, ctx.node().int_or("axis", 0), rank);
  ctx.set_output(0, typed(DType::Int64, reduced(*x, {axis}, ctx.node().int_or("keepdims", 1) != 0)));
}

}  // namespace halftone::rules
