#include "halftone/graph/ops/rules.h"

namespace halftone::rules {
namespace {

// numpy.matmul: a vector on the left is a row, on the right a column, and that dimension is dropped again; leading
// dimensions broadcast.
TensorType multiplied(const InferContext& ctx, size_t a_input, size_t b_input, DType dtype) {
  require_rank(ctx, a_input, 1, INT64_MAX);
  require_rank(ctx, b_input, 1, INT64_MAX);
  const Dims* a = dims_of(ctx, a_input);
  const Dims* b = dims_of(ctx, b_input);
  if (a == nullptr || b == nullptr) return typed(dtype);
  const bool row = a->size() == 1;
  const bool column = b->size() == 1;
  unify(ctx, a->back(), column ? b->front() : (*b)[b->size() - 2], "the inner extents of the product");
  const Dims a_batch(a->begin(), row ? a->begin() : a->end() - 2);
  const Dims b_batch(b->begin(), column ? b->begin() : b->end() - 2);
  Dims y = broadcast(ctx, a_batch, b_batch);
  if (!row) y.push_back((*a)[a->size() - 2]);
  if (!column) y.push_back(b->back());
  return typed(dtype, std::move(y));
}

}  // namespace

void matmul(InferContext& ctx) {
  require_same_dtype(ctx, 0, 1);
  ctx.set_output(0, multiplied(ctx, 0, 1, dtype_of_input(ctx, 0)));
}

void matmul_integer(InferContext& ctx) { ctx.set_output(0, multiplied(ctx, 0, 1, DType::Int32)); }

void qlinear_matmul(InferContext& ctx) {
  // Inputs: a, a_scale, a_zero_point, b, b_scale, b_zero_point, y_scale, y_zero_point.
  ctx.set_output(0, multiplied(ctx, 0, 3, dtype_of_input(ctx, 7)));
}

void gemm(InferContext& ctx) {
  require_same_dtype(ctx, 0, 1);
  require_rank(ctx, 0, 2, 2);
  require_rank(ctx, 1, 2, 2);
  const Dims* a = dims_of(ctx, 0);
  const Dims* b = dims_of(ctx, 1);
  const size_t a_transposed = ctx.node().int_or("transA", 0) != 0 ? 1 : 0;
  const size_t b_transposed = ctx.node().int_or("transB", 0) != 0 ? 1 : 0;
  if (a != nullptr && b != nullptr) {
    unify(ctx, (*a)[1 - a_transposed], (*b)[b_transposed], "the inner extents of the product");
  }
  const Dims y = {a == nullptr ? Dim{} : (*a)[a_transposed], b == nullptr ? Dim{} : (*b)[1 - b_transposed]};
  if (const Dims* c = dims_of(ctx, 2)) {
    const Dims sum = broadcast(ctx, y, *c);
    bool fits = sum.size() == 2;
    for (size_t i = 0; fits && i < 2; ++i) fits = !y[i].known() || sum[i] == y[i];
    if (!fits) ctx.refuse("C must broadcast to {}, found {}", to_string(typed({}, y)), to_string(ctx.input(2)));
  }
  ctx.set_output(0, typed(dtype_of_input(ctx, 0), y));
}

void det(InferContext& ctx) {
  require_rank(ctx, 0, 2, INT64_MAX);
  TensorType type = ctx.input(0);
  if (type.shape) {
    Dims& dims = *type.shape;
    unify(ctx, dims[dims.size() - 1], dims[dims.size() - 2], "rows and columns");
    dims.resize(dims.size() - 2);
  }
  ctx.set_output(0, std::move(type));
}

}  // namespace halftone::rules
