#include <algorithm>
#include <cmath>

#include "halftone/graph/ops/rules.h"

namespace halftone::rules {
namespace {

// The tensor of a Constant node; nullopt for a kind that is only carried (sparse).
std::optional<Tensor> constant_of(const Node& node) {
  const auto has = [&](std::string_view name) { return node.find_attribute(name) != nullptr; };
  if (has("value")) return *node.tensor_or_null("value");
  if (has("value_float")) return Tensor::scalar(node.float_or("value_float", 0));
  if (has("value_int")) return Tensor::scalar(node.int_or("value_int", 0));
  if (has("value_string")) return Tensor::from_strings({}, {node.string_or("value_string", "")});
  if (has("value_floats")) {
    const std::vector<float> list = node.floats_or("value_floats", {});
    return Tensor::from<float>({static_cast<int64_t>(list.size())}, list);
  }
  if (has("value_ints")) {
    const std::vector<int64_t> list = node.ints_or("value_ints", {});
    return Tensor::from<int64_t>({static_cast<int64_t>(list.size())}, list);
  }
  if (const Attribute* strings = node.find_attribute("value_strings")) {
    if (const auto* list = std::get_if<std::vector<std::string>>(&strings->value)) {
      return Tensor::from_strings({static_cast<int64_t>(list->size())}, *list);
    }
  }
  return std::nullopt;
}

// ceil((limit - start) / delta), at least 0 (ONNX Range).
Dim range_count(const InferContext& ctx) {
  if (is_integer(dtype_of_input(ctx, 0))) {
    int64_t numbers[3];
    for (size_t i = 0; i < 3; ++i) {
      const auto list = known_integers(ctx, i);
      if (!list) return {};
      if (list->size() != 1) ctx.refuse("start, limit and delta must be one number each, found {}", list->size());
      numbers[i] = list->front();
    }
    const auto [start, limit, delta] = numbers;
    if (delta == 0) ctx.refuse("delta must not be 0");
    if (delta == INT64_MIN) ctx.refuse("delta {} is out of range", delta);
    const int64_t distance = delta > 0 ? add_checked(ctx, limit, -std::max(start, -INT64_MAX))
                                       : add_checked(ctx, start, -std::max(limit, -INT64_MAX));
    const int64_t step = std::abs(delta);
    return distance <= 0 ? 0 : (distance - 1) / step + 1;
  }
  double numbers[3];
  for (size_t i = 0; i < 3; ++i) {
    const Tensor* tensor = ctx.constant(i);
    // A float may also be an integer that was cast.
    const auto integers = known_integers(ctx, i);
    if (tensor != nullptr && tensor->size() == 1 && is_floating(tensor->dtype())) {
      numbers[i] = to_vector<double>(*tensor).front();
    } else if (integers && integers->size() == 1) {
      numbers[i] = static_cast<double>(integers->front());
    } else {
      return {};
    }
  }
  const double count = std::ceil((numbers[1] - numbers[0]) / numbers[2]);
  if (!(count < 0x1p62)) ctx.refuse("{} to {} by {} is no range", numbers[0], numbers[1], numbers[2]);
  return count <= 0 ? 0 : static_cast<int64_t>(count);
}

}  // namespace

void constant(InferContext& ctx) {
  if (const std::optional<Tensor> tensor = constant_of(ctx.node())) {
    ctx.set_output(0, typed(tensor->dtype(), to_dims(tensor->shape())));
    ctx.set_constant(0, *tensor);
  }
}

void constant_of_shape(InferContext& ctx) {
  require_rank(ctx, 0, 1, 1);
  const Tensor* value = ctx.node().tensor_or_null("value");
  if (value != nullptr && value->size() != 1) ctx.refuse("value must be one number, found {}", value->size());
  const DType dtype = value == nullptr ? DType::Float : value->dtype();
  const std::optional<Content> content = ctx.content(0);
  if (!content) {
    ctx.set_output(0, typed(dtype));
    return;
  }
  Dims y;
  for (const SymbolicInt& element : *content) {
    if (element.value && *element.value < 0) ctx.refuse("a dimension must not be negative, found {}", *element.value);
    y.push_back(as_dim(element));
  }
  // Exporters build shapes from a filled vector.
  constexpr int64_t kShort = 64;
  if (y.size() == 1 && y[0].known() && y[0].value <= kShort && is_integer(dtype)) {
    ctx.set_content(0, Content(static_cast<size_t>(y[0].value), to_vector<int64_t>(*value).front()));
  }
  ctx.set_output(0, typed(dtype, std::move(y)));
}

void range(InferContext& ctx) {
  for (size_t i = 1; i < 3; ++i) require_same_dtype(ctx, 0, i);
  ctx.set_output(0, typed(dtype_of_input(ctx, 0), Dims{range_count(ctx)}));
}

void shape(InferContext& ctx) {
  const Dims* x = dims_of(ctx, 0);
  if (x == nullptr) {
    ctx.set_output(0, typed(DType::Int64, unknown_dims(1)));
    return;
  }
  const auto rank = static_cast<int64_t>(x->size());
  const auto clamped = [&](int64_t bound) { return std::clamp<int64_t>(bound < 0 ? bound + rank : bound, 0, rank); };
  const int64_t start = clamped(ctx.node().int_or("start", 0));
  const int64_t end = std::max(start, clamped(ctx.node().int_or("end", rank)));
  Content content;
  for (int64_t i = start; i < end; ++i) content.emplace_back((*x)[static_cast<size_t>(i)]);
  ctx.set_output(0, typed(DType::Int64, Dims{end - start}));
  ctx.set_content(0, std::move(content));
}

void size(InferContext& ctx) {
  ctx.set_output(0, typed(DType::Int64, Dims{}));
  if (const Dims* x = dims_of(ctx, 0)) ctx.set_content(0, {SymbolicInt(product(ctx, *x))});
}

void eye_like(InferContext& ctx) {
  require_rank(ctx, 0, 2, 2);
  const auto stated = static_cast<DType>(ctx.node().int_or("dtype", 0));
  ctx.set_output(0, typed(stated == DType::Undefined ? dtype_of_input(ctx, 0) : stated, ctx.input(0).shape));
}

}  // namespace halftone::rules
