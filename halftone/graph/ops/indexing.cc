#include <algorithm>

#include "halftone/graph/ops/rules.h"

namespace halftone::rules {
namespace {

// `dims` with those of `middle` in the place of axes [first, last).
Dims spliced(const Dims& dims, size_t first, size_t last, const Dims& middle) {
  const auto at = [&](size_t i) { return dims.begin() + static_cast<std::ptrdiff_t>(i); };
  Dims result(dims.begin(), at(first));
  result.insert(result.end(), middle.begin(), middle.end());
  result.insert(result.end(), at(last), dims.end());
  return result;
}

int64_t rank_of(const Dims& dims) { return static_cast<int64_t>(dims.size()); }

// Elements picked out of a small vector.
void gather_content(InferContext& ctx) {
  const std::optional<Content> content = ctx.content(0);
  const std::optional<std::vector<int64_t>> indices = known_integers(ctx, 1);
  if (!content || !indices) return;
  const auto count = static_cast<int64_t>(content->size());
  Content picked;
  for (int64_t index : *indices) {
    if (index < -count || index >= count) ctx.refuse("an index must lie in [{}, {}), found {}", -count, count, index);
    picked.push_back((*content)[static_cast<size_t>(index < 0 ? index + count : index)]);
  }
  ctx.set_content(0, std::move(picked));
}

}  // namespace

void gather(InferContext& ctx) {
  const DType dtype = dtype_of_input(ctx, 0);
  require_rank(ctx, 0, 1, INT64_MAX);
  const Dims* x = dims_of(ctx, 0);
  const Dims* indices = dims_of(ctx, 1);
  if (x == nullptr || indices == nullptr) {
    ctx.set_output(0, typed(dtype));
    return;
  }
  const size_t axis = axis_in(ctx, ctx.node().int_or("axis", 0), rank_of(*x));
  ctx.set_output(0, typed(dtype, spliced(*x, axis, axis + 1, *indices)));
  if (x->size() == 1 && indices->size() <= 1) gather_content(ctx);
}

void gather_elements(InferContext& ctx) {
  if (const Dims* x = dims_of(ctx, 0)) {
    require_rank(ctx, 1, rank_of(*x), rank_of(*x));
    axis_in(ctx, ctx.node().int_or("axis", 0), rank_of(*x));
  }
  ctx.set_output(0, typed(dtype_of_input(ctx, 0), ctx.input(1).shape));
}

void gather_nd(InferContext& ctx) {
  const DType dtype = dtype_of_input(ctx, 0);
  require_rank(ctx, 0, 1, INT64_MAX);
  require_rank(ctx, 1, 1, INT64_MAX);
  const Dims* x = dims_of(ctx, 0);
  const Dims* indices = dims_of(ctx, 1);
  if (x == nullptr || indices == nullptr || !indices->back().known()) {
    ctx.set_output(0, typed(dtype));
    return;
  }
  const int64_t batch = ctx.node().int_or("batch_dims", 0);
  const int64_t depth = indices->back().value;
  if (batch < 0 || batch >= std::min(rank_of(*x), rank_of(*indices))) {
    ctx.refuse("batch_dims must lie in [0, {}), found {}", std::min(rank_of(*x), rank_of(*indices)), batch);
  }
  if (depth < 1 || depth > rank_of(*x) - batch) {
    ctx.refuse("an index must have 1 to {} entries, found {}", rank_of(*x) - batch, depth);
  }
  Dims y(indices->begin(), indices->end() - 1);
  for (size_t i = 0; i < static_cast<size_t>(batch); ++i) y[i] = unify(ctx, (*x)[i], y[i], "batch extents");
  y.insert(y.end(), x->begin() + static_cast<std::ptrdiff_t>(batch + depth), x->end());
  ctx.set_output(0, typed(dtype, std::move(y)));
}

void scatter_elements(InferContext& ctx) {
  require_same_dtype(ctx, 0, 2);
  const Dims* indices = dims_of(ctx, 1);
  const Dims* updates = dims_of(ctx, 2);
  if (const Dims* x = dims_of(ctx, 0)) {
    require_rank(ctx, 1, rank_of(*x), rank_of(*x));
    require_rank(ctx, 2, rank_of(*x), rank_of(*x));
    axis_in(ctx, ctx.node().int_or("axis", 0), rank_of(*x));
  }
  if (indices != nullptr && updates != nullptr && indices->size() == updates->size()) {
    for (size_t i = 0; i < indices->size(); ++i) unify(ctx, (*indices)[i], (*updates)[i], "indices and updates");
  }
  ctx.set_output(0, ctx.input(0));
}

void scatter_nd(InferContext& ctx) {
  require_same_dtype(ctx, 0, 2);
  require_rank(ctx, 0, 1, INT64_MAX);
  require_rank(ctx, 1, 1, INT64_MAX);
  const Dims* x = dims_of(ctx, 0);
  const Dims* indices = dims_of(ctx, 1);
  if (x != nullptr && indices != nullptr && indices->back().known()) {
    const int64_t depth = indices->back().value;
    if (depth < 1 || depth > rank_of(*x)) {
      ctx.refuse("an index must have 1 to {} entries, found {}", rank_of(*x), depth);
    }
    Dims required(indices->begin(), indices->end() - 1);
    required.insert(required.end(), x->begin() + static_cast<std::ptrdiff_t>(depth), x->end());
    require_rank(ctx, 2, rank_of(required), rank_of(required));
    if (const Dims* updates = dims_of(ctx, 2)) {
      for (size_t i = 0; i < required.size(); ++i) unify(ctx, (*updates)[i], required[i], "updates and indexed slices");
    }
  }
  ctx.set_output(0, ctx.input(0));
}

void top_k(InferContext& ctx) {
  const DType dtype = dtype_of_input(ctx, 0);
  std::optional<int64_t> k;
  if (ctx.opset() < 10) {
    k = ctx.node().int_or("k", -1);
  } else {
    if (!ctx.has_input(1)) ctx.refuse("requires its input k");
    const auto list = known_integers(ctx, 1);
    if (list && list->size() != 1) ctx.refuse("k must be one number, found {}", list->size());
    if (list) k = list->front();
  }
  if (k && *k < 0) ctx.refuse("k must not be negative, found {}", *k);
  std::optional<Dims> y = ctx.input(0).shape;
  if (y) {
    Dim& dim = (*y)[axis_in(ctx, ctx.node().int_or("axis", -1), rank_of(*y))];
    if (k && dim.known() && dim.value < *k) ctx.refuse("k must be at most the extent {}, found {}", dim.value, *k);
    dim = k ? Dim(*k) : Dim{};
  }
  ctx.set_output(0, typed(dtype, y));
  ctx.set_output(1, typed(DType::Int64, y));
}

void one_hot(InferContext& ctx) {
  // Inputs: indices, depth, values (off, on).
  const DType dtype = dtype_of_input(ctx, 2);
  const Dims* indices = dims_of(ctx, 0);
  if (indices == nullptr) {
    ctx.set_output(0, typed(dtype));
    return;
  }
  // The depth may be a float; only integers are followed.
  Dim depth;
  if (const auto list = known_integers(ctx, 1)) {
    if (list->size() != 1 || list->front() < 1) ctx.refuse("depth must be one number of at least 1");
    depth = list->front();
  }
  const size_t axis = axis_in(ctx, ctx.node().int_or("axis", -1), rank_of(*indices) + 1);
  ctx.set_output(0, typed(dtype, spliced(*indices, axis, axis, {depth})));
}

void non_zero(InferContext& ctx) {
  const Dims* x = dims_of(ctx, 0);
  ctx.set_output(0, typed(DType::Int64, Dims{x == nullptr ? Dim{} : Dim(rank_of(*x)), Dim{}}));
}

void compress(InferContext& ctx) {
  const DType dtype = dtype_of_input(ctx, 0);
  require_rank(ctx, 1, 1, 1);
  if (ctx.node().find_attribute("axis") == nullptr) {
    ctx.set_output(0, typed(dtype, unknown_dims(1)));
    return;
  }
  std::optional<Dims> y = ctx.input(0).shape;
  if (y) (*y)[axis_in(ctx, ctx.node().int_or("axis", 0), rank_of(*y))] = Dim{};
  ctx.set_output(0, typed(dtype, std::move(y)));
}

void reverse_sequence(InferContext& ctx) {
  require_rank(ctx, 0, 2, INT64_MAX);
  require_rank(ctx, 1, 1, 1);
  ctx.set_output(0, ctx.input(0));
}

}  // namespace halftone::rules
