#include <algorithm>

#include "halftone/graph/ops/rules.h"

namespace halftone::rules {
namespace {

struct Range {
  int64_t first = 0;
  int64_t count = 0;
};

// Elements that start:end:step takes from an axis of `extent` (ONNX Slice): negative bounds count from the end, then
// both are clamped to the axis; for a negative step the start to its elements, where numpy would let it fall before
// them.
Range sliced(int64_t extent, int64_t start, int64_t end, int64_t step) {
  if (extent == 0) return {};
  const bool forward = step > 0;
  if (start < 0) start += extent;
  if (end < 0) end += extent;
  const int64_t first = std::clamp<int64_t>(start, 0, forward ? extent : extent - 1);
  const int64_t last = forward ? std::clamp<int64_t>(end, 0, extent) : std::clamp<int64_t>(end, -1, extent - 1);
  const int64_t distance = forward ? last - first : first - last;
  // INT64_MIN has no absolute value.
  const int64_t stride = forward ? step : -std::max(step, -INT64_MAX);
  return {first, distance <= 0 ? 0 : (distance - 1) / stride + 1};
}

Dim sliced_dim(const Dim& dim, const SymbolicInt& start, const SymbolicInt& end, const SymbolicInt& step) {
  if (!start.value || !step.value) return {};
  const bool same_symbol = !dim.symbol.empty() && end.symbol == dim.symbol;
  if (!dim.known()) {
    // start:end with an end beyond any real axis, or at the axis' own extent, keeps the whole.
    const bool whole = same_symbol || (end.value && *end.value >= INT32_MAX);
    return *start.value == 0 && *step.value == 1 && whole ? dim : Dim{};
  }
  if (!end.value) return {};
  return sliced(dim.value, *start.value, *end.value, *step.value).count;
}

// The operand's elements, from an attribute before opset 10. nullopt: unknown.
std::optional<Content> bounds(const InferContext& ctx, std::string_view attribute, size_t i) {
  if (ctx.node().find_attribute(attribute) != nullptr) {
    const std::vector<int64_t> list = ctx.node().ints_or(attribute, {});
    return Content(list.begin(), list.end());
  }
  require_rank(ctx, i, 1, 1);
  return ctx.content(i);
}

}  // namespace

void slice(InferContext& ctx) {
  const DType dtype = dtype_of_input(ctx, 0);
  const bool by_attribute = ctx.opset() < 10;
  if (by_attribute ? ctx.node().find_attribute("starts") == nullptr || ctx.node().find_attribute("ends") == nullptr
                   : !ctx.has_input(1) || !ctx.has_input(2)) {
    ctx.refuse("requires starts and ends");
  }
  const std::optional<Content> starts = bounds(ctx, "starts", 1);
  const std::optional<Content> ends = bounds(ctx, "ends", 2);
  const ListOperand axes = list_operand(ctx, "axes", 3);
  const std::optional<Content> steps = ctx.has_input(4) ? ctx.content(4)
                                       : starts         ? std::optional(Content(starts->size(), SymbolicInt(1)))
                                                        : starts;
  const Dims* x = dims_of(ctx, 0);
  if (x == nullptr) {
    ctx.set_output(0, typed(dtype));
    return;
  }
  if (!starts || !ends || !steps || (axes.present && !axes.list)) {
    ctx.set_output(0, typed(dtype, unknown_dims(x->size())));
    return;
  }
  std::vector<int64_t> axis_list;
  if (axes.present) {
    axis_list = *axes.list;
  } else {
    for (size_t i = 0; i < starts->size(); ++i) axis_list.push_back(static_cast<int64_t>(i));
  }
  if (ends->size() != starts->size() || axis_list.size() != starts->size() || steps->size() != starts->size()) {
    ctx.refuse("starts, ends, axes and steps must have equal lengths, found {}, {}, {} and {}", starts->size(),
               ends->size(), axis_list.size(), steps->size());
  }
  const std::vector<size_t> positions = axes_in(ctx, axis_list, static_cast<int64_t>(x->size()));
  Dims y = *x;
  for (size_t i = 0; i < positions.size(); ++i) {
    if ((*steps)[i] == SymbolicInt(0)) ctx.refuse("a step must not be 0");
    Dim& dim = y[positions[i]];
    dim = sliced_dim(dim, (*starts)[i], (*ends)[i], (*steps)[i]);
  }
  const bool vector = x->size() == 1 && positions.size() == 1 && x->front().known() && y.front().known();
  const std::optional<Content> content = vector ? ctx.content(0) : std::nullopt;
  if (content && static_cast<int64_t>(content->size()) == x->front().value) {
    const Range range = sliced(x->front().value, *starts->front().value, *ends->front().value, *steps->front().value);
    Content kept;
    for (int64_t i = 0; i < range.count; ++i) {
      kept.push_back((*content)[static_cast<size_t>(range.first + i * *steps->front().value)]);
    }
    ctx.set_content(0, std::move(kept));
  }
  ctx.set_output(0, typed(dtype, std::move(y)));
}

void pad(InferContext& ctx) {
  const DType dtype = dtype_of_input(ctx, 0);
  const ListOperand pads = list_operand(ctx, "pads", 1);
  if (!pads.present) ctx.refuse("requires pads");
  const ListOperand axes = list_operand(ctx, "axes", 3);
  const Dims* x = dims_of(ctx, 0);
  if (x == nullptr) {
    ctx.set_output(0, typed(dtype));
    return;
  }
  if (!pads.list || (axes.present && !axes.list)) {
    ctx.set_output(0, typed(dtype, unknown_dims(x->size())));
    return;
  }
  std::vector<int64_t> axis_list;
  for (size_t i = 0; i < x->size(); ++i) axis_list.push_back(static_cast<int64_t>(i));
  if (axes.present) axis_list = *axes.list;
  const std::vector<size_t> positions = axes_in(ctx, axis_list, static_cast<int64_t>(x->size()));
  if (pads.list->size() != 2 * positions.size()) {
    ctx.refuse("pads must have two entries per axis, found {} for {} axes", pads.list->size(), positions.size());
  }
  Dims y = *x;
  for (size_t i = 0; i < positions.size(); ++i) {
    Dim& dim = y[positions[i]];
    const int64_t both_pads = add_checked(ctx, (*pads.list)[i], (*pads.list)[i + positions.size()]);
    if (!dim.known()) {
      if (both_pads != 0) dim = Dim{};
      continue;
    }
    dim.value = add_checked(ctx, dim.value, both_pads);
    if (dim.value < 0) {
      ctx.refuse("negative pads take more than axis {} has: {}", positions[i], to_string(ctx.input(0)));
    }
  }
  ctx.set_output(0, typed(dtype, std::move(y)));
}

}  // namespace halftone::rules
