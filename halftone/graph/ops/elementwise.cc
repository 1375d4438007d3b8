#include <algorithm>

#include "halftone/graph/ops/rules.h"

namespace halftone::rules {
namespace {

// Small integers are followed through arithmetic on shapes. `f` gives one element of the result.
template <typename F>
void combine_contents(InferContext& ctx, const F& f) {
  const std::optional<Content> a = ctx.content(0);
  const std::optional<Content> b = ctx.content(1);
  // Elements line up only for scalars and vectors, which is what shapes are.
  if (!a || !b || ctx.outputs()[0].shape.value_or(unknown_dims(2)).size() > 1) return;
  if (a->empty() || b->empty() || (a->size() != b->size() && a->size() != 1 && b->size() != 1)) return;
  Content result(std::max(a->size(), b->size()));
  for (size_t i = 0; i < result.size(); ++i) {
    result[i] = f((*a)[a->size() == 1 ? 0 : i], (*b)[b->size() == 1 ? 0 : i]);
  }
  ctx.set_content(0, std::move(result));
}

// f on two numbers, unless it overflows; `neutral` on the right keeps a symbol.
template <typename F>
SymbolicInt apply(const SymbolicInt& a, const SymbolicInt& b, int64_t neutral, const F& overflows) {
  if (b == SymbolicInt(neutral)) return a;
  int64_t result = 0;
  if (!a.value || !b.value || overflows(*a.value, *b.value, &result)) return {};
  return result;
}

void same_dtypes(const InferContext& ctx) {
  for (size_t i = 1; i < ctx.input_count(); ++i) require_same_dtype(ctx, 0, i);
}

}  // namespace

void same_as_input(InferContext& ctx) { ctx.set_output(0, ctx.input(0)); }

void rounding(InferContext& ctx) {
  ctx.set_output(0, ctx.input(0));
  pass_content(ctx);  // which is of integers
}

void neg(InferContext& ctx) {
  ctx.set_output(0, ctx.input(0));
  std::optional<Content> content = ctx.content(0);
  if (!content) return;
  for (SymbolicInt& element : *content) {
    const bool known = element.value && *element.value != INT64_MIN;
    element = known ? SymbolicInt(-*element.value) : SymbolicInt();
  }
  ctx.set_content(0, std::move(*content));
}

void identity(InferContext& ctx) {
  ctx.set_output(0, ctx.input(0));
  pass_content(ctx);
  if (const Tensor* tensor = ctx.constant(0)) ctx.set_constant(0, *tensor);
}

void predicate(InferContext& ctx) { ctx.set_output(0, typed(DType::Bool, ctx.input(0).shape)); }

void elementwise(InferContext& ctx) {
  same_dtypes(ctx);
  ctx.set_output(0, typed(dtype_of_input(ctx, 0), broadcast_inputs(ctx, 0, ctx.input_count())));
}

void pow(InferContext& ctx) { ctx.set_output(0, typed(dtype_of_input(ctx, 0), broadcast_inputs(ctx, 0, 2))); }

void add(InferContext& ctx) {
  elementwise(ctx);
  combine_contents(ctx, [](const SymbolicInt& a, const SymbolicInt& b) {
    if (a == SymbolicInt(0)) return b;
    return apply(a, b, 0, [](int64_t x, int64_t y, int64_t* r) { return __builtin_add_overflow(x, y, r); });
  });
}

void sub(InferContext& ctx) {
  elementwise(ctx);
  combine_contents(ctx, [](const SymbolicInt& a, const SymbolicInt& b) {
    return apply(a, b, 0, [](int64_t x, int64_t y, int64_t* r) { return __builtin_sub_overflow(x, y, r); });
  });
}

void mul(InferContext& ctx) {
  elementwise(ctx);
  combine_contents(ctx, [](const SymbolicInt& a, const SymbolicInt& b) {
    if (a == SymbolicInt(1)) return b;
    return apply(a, b, 1, [](int64_t x, int64_t y, int64_t* r) { return __builtin_mul_overflow(x, y, r); });
  });
}

void div(InferContext& ctx) {
  elementwise(ctx);
  // The elements may be integers that were cast to a float type, where a quotient is followed only if it is exact.
  const bool exact_only = is_floating(dtype_of_input(ctx, 0));
  combine_contents(ctx, [&](const SymbolicInt& a, const SymbolicInt& b) {
    return apply(a, b, 1, [&](int64_t x, int64_t y, int64_t* r) {
      if (y == 0 || y == -1 || (exact_only && x % y != 0)) return true;
      *r = x / y;
      return false;
    });
  });
}

void comparison(InferContext& ctx) {
  same_dtypes(ctx);
  ctx.set_output(0, typed(DType::Bool, broadcast_inputs(ctx, 0, 2)));
}

void equal(InferContext& ctx) {
  comparison(ctx);
  combine_contents(ctx, [](const SymbolicInt& a, const SymbolicInt& b) -> SymbolicInt {
    if (a.value && b.value) return *a.value == *b.value ? 1 : 0;
    // An extent is never negative.
    const bool a_extent = !a.symbol.empty();
    const bool b_extent = !b.symbol.empty();
    if ((a_extent && b.value && *b.value < 0) || (b_extent && a.value && *a.value < 0)) return 0;
    if (a_extent && a == b) return 1;
    return {};
  });
}

void where(InferContext& ctx) {
  require_same_dtype(ctx, 1, 2);
  ctx.set_output(0, typed(dtype_of_input(ctx, 1), broadcast_inputs(ctx, 0, 3)));
  const std::optional<Content> condition = ctx.content(0);
  const std::optional<Content> yes = ctx.content(1);
  const std::optional<Content> no = ctx.content(2);
  if (!condition || !yes || !no || ctx.outputs()[0].shape.value_or(unknown_dims(2)).size() > 1) return;
  if (condition->size() != yes->size() || yes->size() != no->size()) return;
  Content result(condition->size());
  for (size_t i = 0; i < result.size(); ++i) {
    if (const auto& chosen = (*condition)[i].value) result[i] = *chosen != 0 ? (*yes)[i] : (*no)[i];
  }
  ctx.set_content(0, std::move(result));
}

void prelu(InferContext& ctx) {
  require_same_dtype(ctx, 0, 1);
  // The slope is broadcast to the input, never the other way round. Before opset 7 it was one number per channel.
  const Dims* x = dims_of(ctx, 0);
  const Dims* slope = dims_of(ctx, 1);
  if (x != nullptr && slope != nullptr && ctx.opset() >= 7) {
    bool fits = slope->size() <= x->size();
    for (size_t i = 0; fits && i < slope->size(); ++i) {
      const Dim& dim = (*slope)[slope->size() - 1 - i];
      fits = dim == Dim(1) || unified(dim, (*x)[x->size() - 1 - i]).has_value();
    }
    if (!fits) {
      ctx.refuse("the slope must broadcast to the input, found {} and {}", to_string(ctx.input(1)),
                 to_string(ctx.input(0)));
    }
  }
  ctx.set_output(0, ctx.input(0));
}

void dropout(InferContext& ctx) {
  ctx.set_output(0, ctx.input(0));
  ctx.set_output(1, typed(ctx.opset() < 10 ? dtype_of_input(ctx, 0) : DType::Bool, ctx.input(0).shape));
}

void cast(InferContext& ctx) {
  const auto dtype = static_cast<DType>(ctx.node().int_or("to", 0));
  if (dtype == DType::Undefined) ctx.refuse("requires the attribute 'to' with an element type");
  ctx.set_output(0, typed(dtype, ctx.input(0).shape));
  // Numbers are followed where no type that holds shapes would change them: an integer up to 2^24 is exact in a float.
  const int64_t largest = dtype == DType::Int64 ? INT64_MAX : dtype == DType::Int32 ? INT32_MAX : int64_t{1} << 24;
  if (!is_floating(dtype) && dtype != DType::Int64 && dtype != DType::Int32) return;
  std::optional<Content> content = ctx.content(0);
  if (!content) return;
  for (SymbolicInt& element : *content) {
    if (element.value && (*element.value > largest || *element.value < -largest)) element = SymbolicInt();
  }
  ctx.set_content(0, std::move(*content));
}

void cast_like(InferContext& ctx) { ctx.set_output(0, typed(dtype_of_input(ctx, 1), ctx.input(0).shape)); }

}  // namespace halftone::rules
