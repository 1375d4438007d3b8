#include "halftone/graph/ops/rules.h"

namespace halftone::rules {

void expand(InferContext& ctx) {
  const DType dtype = dtype_of_input(ctx, 0);
  require_rank(ctx, 1, 1, 1);
  const Dims* x = dims_of(ctx, 0);
  const std::optional<Content> content = ctx.content(1);
  if (x == nullptr || !content) {
    ctx.set_output(0, typed(dtype));
    return;
  }
  Dims wanted;
  for (const SymbolicInt& element : *content) {
    if (element.value && *element.value < 0) ctx.refuse("a dimension must not be negative, found {}", *element.value);
    wanted.push_back(as_dim(element));
  }
  ctx.set_output(0, typed(dtype, broadcast(ctx, *x, wanted)));
}

void tile(InferContext& ctx) {
  const DType dtype = dtype_of_input(ctx, 0);
  require_rank(ctx, 1, 1, 1);
  const Dims* x = dims_of(ctx, 0);
  if (x == nullptr) {
    ctx.set_output(0, typed(dtype));
    return;
  }
  Dims y = unknown_dims(x->size());
  if (const std::optional<Content> repeats = ctx.content(1)) {
    if (repeats->size() != x->size()) {
      ctx.refuse("repeats must have one entry per axis, found {} for {}", repeats->size(), to_string(ctx.input(0)));
    }
    for (size_t i = 0; i < y.size(); ++i) {
      const SymbolicInt& repeat = (*repeats)[i];
      if (repeat.value && *repeat.value < 0) ctx.refuse("repeats must not be negative, found {}", *repeat.value);
      y[i] = multiply(ctx, (*x)[i], as_dim(repeat));
    }
  }
  ctx.set_output(0, typed(dtype, std::move(y)));
}

}  // namespace halftone::rules
