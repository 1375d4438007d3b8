#include <algorithm>

#include "halftone/graph/ops/rules.h"

namespace halftone::rules {
namespace {

// One extent of a Reshape's result before the element count is used.
struct Wanted {
  Dim dim;
  bool open = false;    // -1, or not known at all: what the others leave over
  bool copied = false;  // taken from the input's dimension at the same place
};

std::vector<Wanted> wanted_extents(const InferContext& ctx, const Content& content, const Dims* x) {
  const bool allow_zero = ctx.node().int_or("allowzero", 0) != 0;
  std::vector<Wanted> wanted;
  int inferred = 0;
  for (size_t i = 0; i < content.size(); ++i) {
    const SymbolicInt& element = content[i];
    if (!element.value) {
      Dim dim;
      dim.symbol = element.symbol;
      const bool open = element.symbol.empty();
      wanted.push_back({std::move(dim), open, false});
    } else if (*element.value == 0 && !allow_zero) {
      if (x == nullptr) {
        wanted.push_back({{}, true, false});
        continue;
      }
      if (i >= x->size()) ctx.refuse("dimension {} is to be copied, but the input is {}", i, to_string(ctx.input(0)));
      wanted.push_back({(*x)[i], false, true});
    } else if (*element.value == -1) {
      if (++inferred > 1) ctx.refuse("at most one dimension may be -1, found {}", inferred);
      wanted.push_back({{}, true, false});
    } else {
      if (*element.value < 0) ctx.refuse("a dimension must be -1 or more, found {}", *element.value);
      wanted.push_back({*element.value, false, false});
    }
  }
  return wanted;
}

// A product of extents: its numbers multiplied, and the extents that are none.
struct Product {
  int64_t numbers = 1;
  Dims others;

  Product(const InferContext& ctx, const Dims& dims) {
    for (const Dim& dim : dims) {
      if (!dim.known()) others.push_back(dim);
    }
    Dims known = dims;
    std::erase_if(known, [](const Dim& dim) { return !dim.known(); });
    numbers = product(ctx, known).value;
  }
  bool known() const { return others.empty() || numbers == 0; }
};

// Equal symbols on both sides cancel.
void cancel(Dims& from, Dims& to) {
  std::erase_if(to, [&](const Dim& dim) {
    const auto same = dim.symbol.empty() ? from.end() : std::find(from.begin(), from.end(), dim);
    if (same == from.end()) return false;
    from.erase(same);
    return true;
  });
}

// Fills in the one open extent, and refuses element counts that can't be equal.
void solve(const InferContext& ctx, const Dims& x, std::vector<Wanted>& wanted) {
  Dims from, to;
  Wanted* open = nullptr;
  for (size_t i = 0; i < x.size(); ++i) {
    if (i >= wanted.size() || !wanted[i].copied) from.push_back(x[i]);
  }
  for (Wanted& extent : wanted) {
    if (extent.open) {
      if (open != nullptr) return;
      open = &extent;
    } else if (!extent.copied) {
      to.push_back(extent.dim);
    }
  }
  Product have(ctx, from);
  Product need(ctx, to);
  cancel(have.others, need.others);
  if (open == nullptr) {
    // Where a copied extent is 0, or must be because the input has no elements, the others may be anything.
    const bool nothing = std::any_of(wanted.begin(), wanted.end(), [&](const Wanted& extent) {
      return extent.copied && (extent.dim.value == 0 || (have.numbers == 0 && !extent.dim.known()));
    });
    if (nothing) return;
    if (have.known() && need.known() && have.numbers != need.numbers) {
      ctx.refuse("{} can't be reshaped to {} elements", to_string(ctx.input(0)), need.numbers);
    }
    return;
  }
  if (!need.known()) return;
  const bool divides = need.numbers == 0 ? have.numbers == 0 : have.numbers % need.numbers == 0;
  if (divides && need.numbers != 0) {
    open->dim = multiply(ctx, have.numbers / need.numbers, product(ctx, have.others));
  } else if (!divides && have.known()) {
    ctx.refuse("{} can't fill a shape whose other dimensions hold {} elements", to_string(ctx.input(0)), need.numbers);
  }
}

}  // namespace

void reshape(InferContext& ctx) {
  const DType dtype = dtype_of_input(ctx, 0);
  require_rank(ctx, 1, 1, 1);
  const std::optional<Content> content = ctx.content(1);
  if (!content) {
    ctx.set_output(0, typed(dtype));
    return;
  }
  const Dims* x = dims_of(ctx, 0);
  std::vector<Wanted> wanted = wanted_extents(ctx, *content, x);
  if (x != nullptr) solve(ctx, *x, wanted);
  Dims y;
  for (Wanted& extent : wanted) y.push_back(std::move(extent.dim));
  ctx.set_output(0, typed(dtype, std::move(y)));
  pass_content(ctx);
}

void flatten(InferContext& ctx) {
  const DType dtype = dtype_of_input(ctx, 0);
  const Dims* x = dims_of(ctx, 0);
  if (x == nullptr) {
    ctx.set_output(0, typed(dtype, unknown_dims(2)));
    return;
  }
  const auto rank = static_cast<int64_t>(x->size());
  int64_t axis = ctx.node().int_or("axis", 1);
  if (axis < -rank || axis > rank) ctx.refuse("axis must lie in [{}, {}], found {}", -rank, rank, axis);
  if (axis < 0) axis += rank;
  const std::span<const Dim> dims(*x);
  const auto split = static_cast<size_t>(axis);
  ctx.set_output(0, typed(dtype, Dims{product(ctx, dims.first(split)), product(ctx, dims.subspan(split))}));
}

void squeeze(InferContext& ctx) {
  const DType dtype = dtype_of_input(ctx, 0);
  const ListOperand axes = list_operand(ctx, "axes", 1);
  pass_content(ctx);
  const Dims* x = dims_of(ctx, 0);
  const bool undecided = axes.present && !axes.list;
  if (x == nullptr || undecided) {
    ctx.set_output(0, typed(dtype));
    return;
  }
  Dims y;
  if (!axes.present) {
    for (const Dim& dim : *x) {
      if (!dim.known()) {
        ctx.set_output(0, typed(dtype));
        return;
      }
      if (dim.value != 1) y.push_back(dim);
    }
  } else {
    const std::vector<size_t> gone = axes_in(ctx, *axes.list, static_cast<int64_t>(x->size()));
    for (size_t i = 0; i < x->size(); ++i) {
      const Dim& dim = (*x)[i];
      if (std::find(gone.begin(), gone.end(), i) == gone.end()) {
        y.push_back(dim);
      } else if (dim.known() && dim.value != 1) {
        ctx.refuse("a squeezed axis must have extent 1, found {} on axis {}", dim.value, i);
      }
    }
  }
  ctx.set_output(0, typed(dtype, std::move(y)));
}

void unsqueeze(InferContext& ctx) {
  const DType dtype = dtype_of_input(ctx, 0);
  const ListOperand axes = list_operand(ctx, "axes", 1);
  if (!axes.present) ctx.refuse("requires axes");
  pass_content(ctx);
  const Dims* x = dims_of(ctx, 0);
  if (x == nullptr || !axes.list) {
    ctx.set_output(0, typed(dtype));
    return;
  }
  const size_t rank = x->size() + axes.list->size();
  const std::vector<size_t> added = axes_in(ctx, *axes.list, static_cast<int64_t>(rank));
  Dims y;
  auto next = x->begin();
  for (size_t i = 0; i < rank; ++i) {
    const bool is_new = std::find(added.begin(), added.end(), i) != added.end();
    y.push_back(is_new ? Dim(1) : *next++);
  }
  ctx.set_output(0, typed(dtype, std::move(y)));
}

}  // namespace halftone::rules
