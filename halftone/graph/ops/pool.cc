#include <algorithm>

#include "halftone/graph/ops/window.h"

namespace halftone::rules {

void pool(InferContext& ctx) {
  require_rank(ctx, 0, 3, INT64_MAX);
  const DType dtype = dtype_of_input(ctx, 0);
  const std::vector<int64_t> kernel = ctx.node().ints_or("kernel_shape", {});
  if (kernel.empty()) ctx.refuse("requires the attribute kernel_shape");
  const Window window = window_of(ctx, kernel);
  const Dims* x = dims_of(ctx, 0);
  if (x == nullptr) {
    ctx.set_output(0, typed(dtype));
    ctx.set_output(1, typed(DType::Int64));
    return;
  }
  if (x->size() != kernel.size() + 2) {
    ctx.refuse("kernel_shape must have {} entries for {}, found {}", x->size() - 2, to_string(ctx.input(0)),
               kernel.size());
  }
  const bool ceil_mode = ctx.node().int_or("ceil_mode", 0) != 0;
  Dims y = *x;
  for (size_t i = 2; i < y.size(); ++i) y[i] = slide(ctx, window, i - 2, (*x)[i], ceil_mode);
  ctx.set_output(0, typed(dtype, y));
  ctx.set_output(1, typed(DType::Int64, y));  // MaxPool's Indices
}

void global_pool(InferContext& ctx) {
  require_rank(ctx, 0, 2, INT64_MAX);
  TensorType type = ctx.input(0);
  if (type.shape) std::fill(type.shape->begin() + 2, type.shape->end(), Dim(1));
  ctx.set_output(0, std::move(type));
}

}  // namespace halftone::rules
