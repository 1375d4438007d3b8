#include <algorithm>
#include <cmath>

#include "halftone/graph/ops/rules.h"

namespace halftone::rules {
namespace {

// floor(extent * scale) in single precision, as runtimes compute it: a scale of 0.7f means 7 of 10.
Dim scaled(const InferContext& ctx, const Dim& dim, float scale) {
  if (!(scale > 0) || std::isinf(scale)) ctx.refuse("a scale must be positive and finite, found {}", scale);
  if (!dim.known()) return scale == 1 ? dim : Dim{};
  const float extent = std::floor(static_cast<float>(dim.value) * scale);
  if (extent >= 0x1p62f) ctx.refuse("extents must stay below 2^62, found {} * {}", dim.value, scale);
  return static_cast<int64_t>(extent);
}

std::optional<std::vector<float>> known_floats(const InferContext& ctx, size_t i) {
  const Tensor* tensor = ctx.constant(i);
  if (tensor == nullptr || !is_floating(tensor->dtype())) return std::nullopt;
  return to_vector<float>(*tensor);
}

// True when an optional list is given: exporters leave one out by an empty tensor too.
bool given(const InferContext& ctx, size_t i) {
  const Dims* dims = dims_of(ctx, i);
  return ctx.has_input(i) && (dims == nullptr || dims->size() != 1 || dims->front() != Dim(0));
}

// keep_aspect_ratio_policy other than "stretch": one scale for all axes, the smallest ("not_larger") or the largest
// ("not_smaller") that the sizes ask for. Source: ONNX Resize, opset 18.
void keep_aspect_ratio(const InferContext& ctx, const Dims& x, const std::vector<size_t>& axes, Dims& y) {
  const std::string policy = ctx.node().string_or("keep_aspect_ratio_policy", "stretch");
  if (policy == "stretch") return;
  if (policy != "not_larger" && policy != "not_smaller") {
    ctx.refuse("keep_aspect_ratio_policy must be stretch, not_larger or not_smaller, found '{}'", policy);
  }
  std::optional<double> scale;
  for (size_t axis : axes) {
    if (!x[axis].known() || !y[axis].known() || x[axis].value == 0) {
      for (size_t other : axes) y[other] = Dim{};
      return;
    }
    const double wanted = static_cast<double>(y[axis].value) / static_cast<double>(x[axis].value);
    scale = !scale ? wanted : policy == "not_larger" ? std::min(*scale, wanted) : std::max(*scale, wanted);
  }
  for (size_t axis : axes) {
    const double extent = std::floor(*scale * static_cast<double>(x[axis].value) + 0.5);
    if (extent >= 0x1p62) ctx.refuse("extents must stay below 2^62, found {} * {}", x[axis].value, *scale);
    y[axis] = static_cast<int64_t>(extent);
  }
}

void apply_scales(const InferContext& ctx, const std::vector<float>& scales, const std::vector<size_t>& axes, Dims& y) {
  if (scales.size() != axes.size()) {
    ctx.refuse("scales must have one entry per axis, found {} for {}", scales.size(), axes.size());
  }
  for (size_t i = 0; i < axes.size(); ++i) y[axes[i]] = scaled(ctx, y[axes[i]], scales[i]);
}

void apply_sizes(const InferContext& ctx, const Content& sizes, const std::vector<size_t>& axes, Dims& y) {
  if (sizes.size() != axes.size()) {
    ctx.refuse("sizes must have one entry per axis, found {} for {}", sizes.size(), axes.size());
  }
  const Dims x = y;
  for (size_t i = 0; i < axes.size(); ++i) {
    if (sizes[i].value && *sizes[i].value < 0) ctx.refuse("sizes must not be negative, found {}", *sizes[i].value);
    y[axes[i]] = as_dim(sizes[i]);
  }
  keep_aspect_ratio(ctx, x, axes, y);
}

// tf_crop_and_resize: what is resized is the region of interest, from its start to its end in parts of the extent.
bool crop(const InferContext& ctx, const std::vector<size_t>& axes, std::vector<float>& scales) {
  if (ctx.node().string_or("coordinate_transformation_mode", "half_pixel") != "tf_crop_and_resize") return true;
  const std::optional<std::vector<float>> roi = known_floats(ctx, 1);
  if (!roi || roi->size() != 2 * axes.size() || scales.size() != axes.size()) return false;
  for (size_t i = 0; i < axes.size(); ++i) scales[i] *= (*roi)[axes.size() + i] - (*roi)[i];
  return true;
}

void resize_by(InferContext& ctx, size_t scales_input, size_t sizes_input) {
  const DType dtype = dtype_of_input(ctx, 0);
  const Dims* x = dims_of(ctx, 0);
  if (x == nullptr) {
    ctx.set_output(0, typed(dtype));
    return;
  }
  std::vector<int64_t> axis_list;
  for (size_t i = 0; i < x->size(); ++i) axis_list.push_back(static_cast<int64_t>(i));
  const std::vector<size_t> axes = axes_in(ctx, ctx.node().ints_or("axes", axis_list), static_cast<int64_t>(x->size()));
  Dims y = *x;
  const std::optional<Content> sizes = given(ctx, sizes_input) ? ctx.content(sizes_input) : std::nullopt;
  std::optional<std::vector<float>> scales = known_floats(ctx, scales_input);
  if (given(ctx, sizes_input)) {
    if (sizes) {
      apply_sizes(ctx, *sizes, axes, y);
    } else {
      for (size_t axis : axes) y[axis] = Dim{};
    }
  } else if (!given(ctx, scales_input)) {
    ctx.refuse("requires scales or sizes");
  } else if (scales && crop(ctx, axes, *scales)) {
    apply_scales(ctx, *scales, axes, y);
  } else {
    for (size_t axis : axes) y[axis] = Dim{};
  }
  ctx.set_output(0, typed(dtype, std::move(y)));
}

}  // namespace

void resize(InferContext& ctx) {
  constexpr size_t kNone = SIZE_MAX;
  if (ctx.opset() < 11) {
    resize_by(ctx, 1, kNone);
  } else {
    resize_by(ctx, 2, 3);
  }
}

void upsample(InferContext& ctx) {
  const DType dtype = dtype_of_input(ctx, 0);
  const Dims* x = dims_of(ctx, 0);
  const bool by_attribute = ctx.opset() < 9;
  if (by_attribute && ctx.node().find_attribute("scales") == nullptr) ctx.refuse("requires the attribute scales");
  if (!by_attribute && !ctx.has_input(1)) ctx.refuse("requires its input scales");
  if (x == nullptr) {
    ctx.set_output(0, typed(dtype));
    return;
  }
  Dims y = *x;
  const auto scales = by_attribute ? ctx.node().floats_or("scales", {}) : known_floats(ctx, 1);
  std::vector<size_t> axes;
  for (size_t i = 0; i < x->size(); ++i) axes.push_back(i);
  if (scales) {
    apply_scales(ctx, *scales, axes, y);
  } else {
    y = unknown_dims(x->size());
  }
  ctx.set_output(0, typed(dtype, std::move(y)));
}

}  // namespace halftone::rules
