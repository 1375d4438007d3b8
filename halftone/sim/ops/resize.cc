// Resize and Upsample. https://onnx.ai/onnx/operators/onnx__Resize.html
#include <algorithm>
#include <cmath>
#include <numeric>

#include "halftone/sim/ops.h"
#include "halftone/sim/ops/parameters.h"
#include "halftone/sim/ops/resize_taps.h"
#include "halftone/sim/ops/typed_operands.h"

namespace halftone::sim::ops {
namespace {

struct ResizePlan {
  ResizeMode mode;
  std::vector<ResizeAxis> axes;  // one per dimension of the operand
  float extrapolation = 0;       // TfCropAndResize: what output elements outside the input become

  Shape output() const {
    Shape shape;
    for (const ResizeAxis& axis : axes) shape.push_back(axis.out);
    return shape;
  }
};

std::vector<ResizeAxis> unchanged_axes(const Shape& shape) {
  std::vector<ResizeAxis> axes;
  for (int64_t dim : shape) axes.push_back(ResizeAxis{dim, dim});
  return axes;
}

// floor(in * scale), multiplied in float32 as ONNX's shape inference does.
void apply_scale(const OpCall& call, float scale, ResizeAxis& axis) {
  const float out = std::floor(static_cast<float>(axis.in) * scale);
  if (!(scale > 0) || !(out <= static_cast<float>(kMaxElements))) {
    call.refuse("scales must be positive and lead to at most {} elements, found {}", kMaxElements, scale);
  }
  axis.scale = scale;
  axis.out = static_cast<int64_t>(out);
}

// Extents given: scales follow from them, by keep_aspect_ratio_policy one scale for all axes.
void apply_sizes(const OpCall& call, const std::vector<int64_t>& sizes, const std::vector<int64_t>& which,
                 std::vector<ResizeAxis>& axes) {
  std::vector<float> scales;
  for (size_t i = 0; i < which.size(); ++i) {
    ResizeAxis& axis = axes[static_cast<size_t>(which[i])];
    if (sizes[i] < 1 || sizes[i] > kMaxElements || axis.in < 1) {
      call.refuse("sizes must lie in [1, {}] for an operand with elements, found {}", kMaxElements, sizes[i]);
    }
    axis.out = sizes[i];
    axis.scale = static_cast<float>(sizes[i]) / static_cast<float>(axis.in);
    scales.push_back(axis.scale);
  }
  const std::string policy = call.node.string_or("keep_aspect_ratio_policy", "stretch");
  if (policy == "stretch" || scales.empty()) return;
  if (policy != "not_larger" && policy != "not_smaller")
    call.refuse("keep_aspect_ratio_policy '{}' is unknown", policy);
  const float scale = policy == "not_larger" ? *std::min_element(scales.begin(), scales.end())
                                             : *std::max_element(scales.begin(), scales.end());
  for (int64_t i : which) {
    ResizeAxis& axis = axes[static_cast<size_t>(i)];
    axis.scale = scale;
    axis.out = static_cast<int64_t>(std::floor(static_cast<float>(axis.in) * scale + 0.5f));
  }
}

// An optional input that may be left out by being empty too.
bool given(const OpCall& call, size_t i) { return call.has_input(i) && call.input(i).size() > 0; }

// Input i, which must have `count` elements.
std::vector<float> floats(const OpCall& call, size_t i, size_t count) {
  if (!is_floating(call.input(i).dtype()) || call.input(i).size() != static_cast<int64_t>(count)) {
    call.refuse("input {} must be {} floating-point numbers, found {} {}", i, count, name_of(call.input(i).dtype()),
                to_string(call.input(i).shape()));
  }
  return to_vector<float>(call.input(i));
}

// Resize of opset 11 and later: inputs x, roi, scales, sizes.
ResizePlan read_resize(const OpCall& call) {
  const Node& node = call.node;
  ResizePlan plan;
  plan.mode.interpolation = interpolation_of(call, node.string_or("mode", "nearest"));
  plan.mode.coordinates = coordinate_mode_of(call, node.string_or("coordinate_transformation_mode", "half_pixel"));
  plan.mode.nearest = nearest_mode_of(call, node.string_or("nearest_mode", "round_prefer_floor"));
  plan.mode.cubic_coefficient = node.float_or("cubic_coeff_a", -0.75f);
  plan.mode.exclude_outside = node.int_or("exclude_outside", 0) != 0;
  plan.mode.antialias = node.int_or("antialias", 0) != 0;
  plan.extrapolation = node.float_or("extrapolation_value", 0.0f);
  plan.axes = unchanged_axes(call.input(0).shape());

  const int64_t rank = call.input(0).rank();
  const std::vector<int64_t> which = normalize_axes(call, node.ints_or("axes", all_of(rank)), rank);
  if (given(call, 3) == given(call, 2)) call.refuse("requires either scales or sizes");
  if (given(call, 3)) {
    const std::vector<int64_t> sizes = integers(call, 3);
    if (sizes.size() != which.size()) call.refuse("requires {} sizes, found {}", which.size(), sizes.size());
    apply_sizes(call, sizes, which, plan.axes);
  } else {
    const std::vector<float> scales = floats(call, 2, which.size());
    for (size_t i = 0; i < which.size(); ++i) apply_scale(call, scales[i], plan.axes[static_cast<size_t>(which[i])]);
  }
  if (plan.mode.coordinates == CoordinateMode::TfCropAndResize) {
    const std::vector<float> roi = floats(call, 1, 2 * which.size());
    for (float bound : roi) {
      if (!std::isfinite(bound)) call.refuse("the region of interest must be finite, found {}", bound);
    }
    for (size_t i = 0; i < which.size(); ++i) {
      ResizeAxis& axis = plan.axes[static_cast<size_t>(which[i])];
      axis.roi_begin = roi[i];
      axis.roi_end = roi[which.size() + i];
    }
  }
  return plan;
}

// Upsample, and Resize of opset 10: scales only, coordinates x / scale.
ResizePlan read_upsample(const OpCall& call, const std::vector<float>& scales) {
  ResizePlan plan;
  plan.mode.interpolation = interpolation_of(call, call.node.string_or("mode", "nearest"));
  plan.mode.nearest = NearestMode::CeilWhenShrinking;
  plan.axes = unchanged_axes(call.input(0).shape());
  if (scales.size() != plan.axes.size()) call.refuse("requires {} scales, found {}", plan.axes.size(), scales.size());
  for (size_t i = 0; i < scales.size(); ++i) apply_scale(call, scales[i], plan.axes[i]);
  return plan;
}

// Whether output element `o` of an axis lies outside the input and is extrapolated.
bool is_outside(const ResizePlan& plan, const ResizeAxis& axis, int64_t o) {
  if (plan.mode.coordinates != CoordinateMode::TfCropAndResize) return false;
  const float x = source_coordinate(axis, plan.mode.coordinates, o);
  return !(x >= 0 && x <= static_cast<float>(axis.in - 1));
}

// One input element per output element, whatever the element type.
Tensor pick_nearest(const ResizePlan& plan, const Tensor& x) {
  std::vector<std::vector<int64_t>> picks;
  for (const ResizeAxis& axis : plan.axes) {
    picks.push_back(all_of(axis.out));
    for (int64_t& o : picks.back()) o = is_outside(plan, axis, o) ? -1 : nearest_element(axis, plan.mode, o);
  }
  if (plan.mode.coordinates != CoordinateMode::TfCropAndResize) return select(x, picks);
  const Tensor extrapolated = convert(Tensor::scalar(plan.extrapolation), x.dtype());
  return select(x, picks, &extrapolated);
}

// Weighted sums along one axis.
template <typename T>
Tensor resample(const ResizePlan& plan, const Tensor& x, size_t d) {
  const ResizeAxis& axis = plan.axes[d];
  Shape shape = x.shape();
  shape[d] = axis.out;
  Tensor y = new_tensor<T>(shape);
  const AxisView from = view_along(x.shape(), static_cast<int64_t>(d));
  const T* in = x.data<T>().data();
  T* out = y.mutable_data<T>().data();
  for (int64_t o = 0; o < axis.out; ++o) {
    for (const Tap& tap : taps_of(axis, plan.mode, o)) {
      const T weight = static_cast<T>(tap.weight);
      for (int64_t i = 0; i < from.outer; ++i) {
        const T* row = in + (i * axis.in + tap.index) * from.inner;
        T* sums = out + (i * axis.out + o) * from.inner;
        for (int64_t r = 0; r < from.inner; ++r) sums[r] += weight * row[r];
      }
    }
  }
  return y;
}

// Interpolation is separable: axis after axis, the first one first.
template <typename T>
Tensor interpolate(const ResizePlan& plan, const Tensor& x) {
  const bool crops = plan.mode.coordinates == CoordinateMode::TfCropAndResize;
  Tensor y = x;
  for (size_t d = 0; d < plan.axes.size(); ++d) {
    const ResizeAxis& axis = plan.axes[d];
    if (crops || axis.in != axis.out || axis.scale != 1) y = resample<T>(plan, y, d);
  }
  if (!crops) return y;
  T* out = y.mutable_data<T>().data();
  for (size_t d = 0; d < plan.axes.size(); ++d) {
    const AxisView view = view_along(y.shape(), static_cast<int64_t>(d));
    for (int64_t o = 0; o < view.length; ++o) {
      if (!is_outside(plan, plan.axes[d], o)) continue;
      for (int64_t i = 0; i < view.outer; ++i) {
        std::fill_n(out + (i * view.length + o) * view.inner, view.inner, static_cast<T>(plan.extrapolation));
      }
    }
  }
  return y;
}

Tensor run(const ResizePlan& plan, const Tensor& x) {
  const Shape output = check_size(plan.output());
  if (element_count(output) == 0) return Tensor(x.dtype(), output);
  if (plan.mode.interpolation == Interpolation::Nearest) return pick_nearest(plan, x);
  // Halves are rounded once, at the end; integers are truncated then.
  if (x.dtype() == DType::Double || is_integer(x.dtype())) {
    return convert(interpolate<double>(plan, convert(x, DType::Double)), x.dtype());
  }
  return convert(interpolate<float>(plan, convert(x, DType::Float)), x.dtype());
}

}  // namespace

std::vector<Tensor> resize(const OpCall& call) {
  const Tensor& x = call.input(0);
  if (call.opset >= 11) return {run(read_resize(call), x)};
  return {run(read_upsample(call, floats(call, 1, x.shape().size())), x)};
}

std::vector<Tensor> upsample(const OpCall& call) {
  const Tensor& x = call.input(0);
  if (call.opset < 9) return {run(read_upsample(call, call.node.floats_or("scales", {})), x)};
  return {run(read_upsample(call, floats(call, 1, x.shape().size())), x)};
}

}  // namespace halftone::sim::ops
