#include "halftone/graph/ops/rules.h"

namespace halftone::rules {
namespace {

// The vector that results when small vectors are joined.
void join_contents(InferContext& ctx) {
  Content joined;
  for (size_t i = 0; i < ctx.input_count(); ++i) {
    const std::optional<Content> part = ctx.content(i);
    if (!part) return;
    joined.insert(joined.end(), part->begin(), part->end());
  }
  ctx.set_content(0, std::move(joined));
}

// The extents of `count` parts of `whole`: given, or equal, or (since opset 18) equal but for a smaller last one.
Dims parts_of(const InferContext& ctx, const Dim& whole, size_t count) {
  const ListOperand given = list_operand(ctx, "split", 1);
  if (given.present) {
    if (!given.list) return unknown_dims(count);
    if (given.list->size() != count) {
      ctx.refuse("split must have one entry per output, found {} for {}", given.list->size(), count);
    }
    Dims parts;
    Dim sum = 0;
    for (int64_t part : *given.list) {
      if (part < 0) ctx.refuse("split must not be negative, found {}", part);
      parts.push_back(part);
      sum = add(ctx, sum, part);
    }
    unify(ctx, sum, whole, "the sum of split and the axis");
    return parts;
  }
  const int64_t num_outputs = ctx.node().int_or("num_outputs", static_cast<int64_t>(count));
  if (num_outputs != static_cast<int64_t>(count)) {
    ctx.refuse("num_outputs must be the number of outputs, found {} and {}", num_outputs, count);
  }
  if (!whole.known()) return count == 1 ? Dims{whole} : unknown_dims(count);
  const int64_t remainder = whole.value % num_outputs;
  if (remainder == 0) return Dims(count, whole.value / num_outputs);
  const int64_t chunk = whole.value / num_outputs + 1;
  const int64_t last = whole.value - chunk * (num_outputs - 1);
  if (ctx.opset() < 18 || last < 0) ctx.refuse("an axis of {} can't be split into {} parts", whole.value, count);
  Dims parts(count, chunk);
  parts.back() = last;
  return parts;
}

}  // namespace

void concat(InferContext& ctx) {
  for (size_t i = 1; i < ctx.input_count(); ++i) require_same_dtype(ctx, 0, i);
  const DType dtype = dtype_of_input(ctx, 0);
  if (ctx.node().find_attribute("axis") == nullptr) ctx.refuse("requires the attribute axis");
  const int64_t axis = ctx.node().int_or("axis", 0);

  std::optional<Dims> y;
  size_t along = 0;
  bool complete = true;
  for (size_t i = 0; i < ctx.input_count(); ++i) {
    const Dims* x = dims_of(ctx, i);
    if (x == nullptr) {
      complete = false;
      continue;
    }
    if (!y) {
      along = axis_in(ctx, axis, static_cast<int64_t>(x->size()));
      y = *x;
      continue;
    }
    require_rank(ctx, i, static_cast<int64_t>(y->size()), static_cast<int64_t>(y->size()));
    for (size_t d = 0; d < y->size(); ++d) {
      Dim& dim = (*y)[d];
      dim = d == along ? add(ctx, dim, (*x)[d]) : unify(ctx, dim, (*x)[d], fmt::format("extents of axis {}", d));
    }
  }
  if (y && !complete) (*y)[along] = Dim{};
  const bool vector = y && y->size() == 1;
  ctx.set_output(0, typed(dtype, std::move(y)));
  if (vector && complete) join_contents(ctx);
}

void split(InferContext& ctx) {
  const DType dtype = dtype_of_input(ctx, 0);
  const Dims* x = dims_of(ctx, 0);
  const size_t count = ctx.output_count();
  if (x == nullptr) {
    for (size_t i = 0; i < count; ++i) ctx.set_output(i, typed(dtype));
    return;
  }
  const size_t axis = axis_in(ctx, ctx.node().int_or("axis", 0), static_cast<int64_t>(x->size()));
  const Dims parts = parts_of(ctx, (*x)[axis], count);
  const std::optional<Content> content = x->size() == 1 ? ctx.content(0) : std::nullopt;
  std::ptrdiff_t start = 0;
  bool starts_known = content && Dim(static_cast<int64_t>(content->size())) == (*x)[axis];
  for (size_t i = 0; i < count; ++i) {
    Dims y = *x;
    y[axis] = parts[i];
    ctx.set_output(i, typed(dtype, std::move(y)));
    starts_known = starts_known && parts[i].known();
    if (starts_known) {
      const auto begin = content->begin() + start;
      ctx.set_content(i, Content(begin, begin + static_cast<std::ptrdiff_t>(parts[i].value)));
      start += static_cast<std::ptrdiff_t>(parts[i].value);
    }
  }
}

}  // namespace halftone::rules
