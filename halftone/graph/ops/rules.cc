#include "halftone/graph/ops/rules.h"

#include <algorithm>

namespace halftone::rules {

const Dims* dims_of(const InferContext& ctx, size_t i) {
  const TensorType& type = ctx.input(i);
  return type.shape ? &*type.shape : nullptr;
}

DType dtype_of_input(const InferContext& ctx, size_t i) { return ctx.input(i).dtype; }

void require_rank(const InferContext& ctx, size_t i, int64_t lowest, int64_t highest) {
  const Dims* dims = dims_of(ctx, i);
  if (dims == nullptr) return;
  const auto rank = static_cast<int64_t>(dims->size());
  if (rank >= lowest && rank <= highest) return;
  if (lowest == highest) ctx.refuse("input {} must have rank {}, found {}", i, lowest, to_string(ctx.input(i)));
  if (highest == INT64_MAX) {
    ctx.refuse("input {} must have a rank of at least {}, found {}", i, lowest, to_string(ctx.input(i)));
  }
  ctx.refuse("input {} must have a rank of {} to {}, found {}", i, lowest, highest, to_string(ctx.input(i)));
}

void require_same_dtype(const InferContext& ctx, size_t i, size_t j) {
  const DType a = dtype_of_input(ctx, i);
  const DType b = dtype_of_input(ctx, j);
  if (a == DType::Undefined || b == DType::Undefined || a == b) return;
  ctx.refuse("inputs {} and {} must have the same element type, found {} and {}", i, j, name_of(a), name_of(b));
}

int64_t add_checked(const InferContext& ctx, int64_t a, int64_t b) {
  int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) ctx.refuse("extents must stay below 2^63, found {} + {}", a, b);
  return sum;
}

int64_t multiply_checked(const InferContext& ctx, int64_t a, int64_t b) {
  int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) ctx.refuse("extents must stay below 2^63, found {} * {}", a, b);
  return result;
}

int64_t floor_div(int64_t dividend, int64_t divisor) { return dividend / divisor - (dividend % divisor < 0 ? 1 : 0); }

Dim multiply(const InferContext& ctx, const Dim& a, const Dim& b) {
  if (a.known() && b.known()) return multiply_checked(ctx, a.value, b.value);
  if (a == Dim(0) || b == Dim(0)) return 0;
  if (a == Dim(1)) return b;
  if (b == Dim(1)) return a;
  return {};
}

Dim product(const InferContext& ctx, std::span<const Dim> dims) {
  // A zero anywhere decides, even beside extents whose product would overflow.
  if (std::find(dims.begin(), dims.end(), Dim(0)) != dims.end()) return 0;
  Dim result = 1;
  for (const Dim& dim : dims) result = multiply(ctx, result, dim);
  return result;
}

Dim add(const InferContext& ctx, const Dim& a, const Dim& b) {
  if (a.known() && b.known()) return add_checked(ctx, a.value, b.value);
  if (a == Dim(0)) return b;
  if (b == Dim(0)) return a;
  return {};
}

std::optional<Dim> unified(const Dim& a, const Dim& b) {
  if (a.known() && b.known()) return a.value == b.value ? std::optional<Dim>(a) : std::nullopt;
  if (a.known()) return a;
  if (b.known()) return b;
  return a.symbol.empty() ? b : a;
}

Dim unify(const InferContext& ctx, const Dim& a, const Dim& b, std::string_view what) {
  const std::optional<Dim> dim = unified(a, b);
  if (!dim) ctx.refuse("{} must be equal, found {} and {}", what, to_string(a), to_string(b));
  return *dim;
}

Dims broadcast(const InferContext& ctx, const Dims& a, const Dims& b) {
  Dims result(std::max(a.size(), b.size()));
  for (size_t i = 0; i < result.size(); ++i) {
    const Dim da = i < a.size() ? a[a.size() - 1 - i] : Dim(1);
    const Dim db = i < b.size() ? b[b.size() - 1 - i] : Dim(1);
    Dim& dim = result[result.size() - 1 - i];
    if (da == Dim(1)) {
      dim = db;
    } else if (db == Dim(1)) {
      dim = da;
    } else if (da.known() || db.known()) {
      // An unknown extent beside a number other than 1 must be 1 or that number.
      const std::optional<Dim> known = unified(da, db);
      if (!known) {
        ctx.refuse("shapes must broadcast (extents equal or 1), found {} and {}",
                   to_string(typed(dtype_of_input(ctx, 0), a)), to_string(typed(dtype_of_input(ctx, 0), b)));
      }
      dim = *known;
    } else if (da == db) {
      dim = da;
    }
  }
  return result;
}

std::optional<Dims> broadcast_inputs(const InferContext& ctx, size_t first, size_t count) {
  Dims result;
  bool ranked = true;
  for (size_t i = first; i < first + count; ++i) {
    const Dims* dims = dims_of(ctx, i);
    ranked = ranked && dims != nullptr;
    if (ranked) result = broadcast(ctx, result, *dims);
  }
  return ranked ? std::optional<Dims>(std::move(result)) : std::nullopt;
}

size_t axis_in(const InferContext& ctx, int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank) {
    ctx.refuse("an axis must lie in [{}, {}) for rank {}, found {}", -rank, rank, rank, axis);
  }
  return static_cast<size_t>(axis < 0 ? axis + rank : axis);
}

std::vector<size_t> axes_in(const InferContext& ctx, const std::vector<int64_t>& axes, int64_t rank) {
  if (static_cast<int64_t>(axes.size()) > rank) ctx.refuse("{} axes for a tensor of rank {}", axes.size(), rank);
  std::vector<size_t> result;
  for (int64_t axis : axes) {
    const size_t positive = axis_in(ctx, axis, rank);
    if (std::find(result.begin(), result.end(), positive) != result.end()) {
      ctx.refuse("axes must differ, found {} twice", positive);
    }
    result.push_back(positive);
  }
  return result;
}

ListOperand list_operand(const InferContext& ctx, std::string_view attribute, size_t i) {
  if (ctx.node().find_attribute(attribute) != nullptr) return {true, ctx.node().ints_or(attribute, {})};
  if (!ctx.has_input(i)) return {};
  require_rank(ctx, i, 0, 1);
  return {true, known_integers(ctx, i)};
}

std::optional<std::vector<int64_t>> known_integers(const InferContext& ctx, size_t i) {
  const std::optional<Content> content = ctx.content(i);
  if (!content) return std::nullopt;
  std::vector<int64_t> numbers;
  for (const SymbolicInt& element : *content) {
    if (!element.value) return std::nullopt;
    numbers.push_back(*element.value);
  }
  return numbers;
}

void pass_content(InferContext& ctx) {
  if (std::optional<Content> content = ctx.content(0)) ctx.set_content(0, std::move(*content));
}

TensorType typed(DType dtype, std::optional<Dims> dims) { return {dtype, std::move(dims)}; }

Dim as_dim(const SymbolicInt& element) {
  Dim dim;
  dim.symbol = element.symbol;
  if (element.value && *element.value >= 0) dim.value = *element.value;
  return dim;
}

}  // namespace halftone::rules
