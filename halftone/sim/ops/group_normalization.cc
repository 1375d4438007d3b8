// InstanceNormalization, GroupNormalization, MeanVarianceNormalization.
// https://onnx.ai/onnx/operators/onnx__GroupNormalization.html
#include "halftone/sim/ops.h"
#include "halftone/sim/ops/moments.h"
#include "halftone/sim/ops/typed_operands.h"

namespace halftone::sim::ops {
namespace {

// y = (x - mean) / sqrt(variance + epsilon) * scale + bias with statistics over each of `groups` runs of channels of
// each batch element. Scale and bias have one number per channel, or per group where `per_group`.
template <typename T>
std::vector<Tensor> normalize_groups(const OpCall& call, int64_t groups, bool per_group) {
  const Planes planes = planes_of(call, call.input(0));
  if (groups < 1 || planes.channels % groups != 0) {
    call.refuse("{} channels can't be split into {} groups", planes.channels, groups);
  }
  const int64_t parameters = per_group ? groups : planes.channels;
  const std::span<const T> x = elements<T>(call, 0);
  const std::span<const T> scale = elements<T>(call, 1, parameters);
  const std::span<const T> bias = elements<T>(call, 2, parameters);
  const auto epsilon = static_cast<double>(call.node.float_or("epsilon", 1e-5f));
  const int64_t channels_per_group = planes.channels / groups;
  const int64_t length = channels_per_group * planes.area;
  if (x.empty()) return {call.input(0)};
  const Moments moments = moments_of(x, planes.batch * groups, [&](int64_t i) { return i / length; });

  Tensor y(dtype_of<T>(), call.input(0).shape());
  const std::span<T> out = y.mutable_data<T>();
  for (size_t i = 0; i < out.size(); ++i) {
    const auto group = i / static_cast<size_t>(length);
    const int64_t channel = static_cast<int64_t>(i) / planes.area % planes.channels;
    const auto parameter = static_cast<size_t>(per_group ? channel / channels_per_group : channel);
    const double deviation = std::sqrt(moments.variance[group] + epsilon);
    const double normalized = (static_cast<double>(x[i]) - moments.mean[group]) / deviation;
    out[i] = static_cast<T>(normalized) * scale[parameter] + bias[parameter];
  }
  return {y};
}

// y = (x - mean) / (standard deviation + 1e-9) with statistics over the given axes.
template <typename T>
std::vector<Tensor> normalize_over_axes(const OpCall& call) {
  const Shape& shape = call.input(0).shape();
  const std::span<const T> x = elements<T>(call, 0);
  Shape kept = shape;
  for (int64_t axis : call.node.ints_or("axes", {0, 2, 3})) {
    kept[static_cast<size_t>(normalize_axis(axis, static_cast<int64_t>(shape.size())))] = 1;
  }
  if (x.empty()) return {call.input(0)};
  std::vector<int64_t> strides = contiguous_strides(kept);
  for (size_t i = 0; i < kept.size(); ++i) {
    if (kept[i] == 1) strides[i] = 0;
  }
  const std::vector<int64_t> group = strided_indices(shape, strides);
  const Moments moments = moments_of(x, element_count(kept), [&](int64_t i) { return group[static_cast<size_t>(i)]; });

  Tensor y(dtype_of<T>(), shape);
  const std::span<T> out = y.mutable_data<T>();
  for (size_t i = 0; i < out.size(); ++i) {
    const auto g = static_cast<size_t>(group[i]);
    out[i] = static_cast<T>((static_cast<double>(x[i]) - moments.mean[g]) / (std::sqrt(moments.variance[g]) + 1e-9));
  }
  return {y};
}

}  // namespace

std::vector<Tensor> instance_normalization(const OpCall& call) {
  return in_floating(call, []<typename T>(const OpCall& c) {
    return normalize_groups<T>(c, planes_of(c, c.input(0)).channels, false);
  });
}

// Before opset 21, scale and bias had one number per group.
std::vector<Tensor> group_normalization(const OpCall& call) {
  return in_floating(call, []<typename T>(const OpCall& c) {
    return normalize_groups<T>(c, c.node.int_or("num_groups", 0), c.opset < 21);
  });
}

std::vector<Tensor> mean_variance_normalization(const OpCall& call) {
  return in_floating(call, []<typename T>(const OpCall& c) { return normalize_over_axes<T>(c); });
}

}  // namespace halftone::sim::ops
