// Normalizations. https://onnx.ai/onnx/operators/onnx__BatchNormalization.html
#include "halftone/train/op.h"

namespace halftone::train::ops {
namespace {

double epsilon_of(const OpCall& call) { return call.node.float_or("epsilon", 1e-5f); }

}  // namespace

// By the running statistics, or in training by the batch's, which then move the running ones:
//   running = running * momentum + batch * (1 - momentum)
std::vector<at::Tensor> batch_normalization(const OpCall& call) {
  const double keep = call.node.float_or("momentum", 0.9f);
  return {at::batch_norm(call.input(0), call.input(1), call.input(2), call.input(3), call.input(4),
                         call.batch_statistics, 1.0 - keep, epsilon_of(call), false)};
}

std::vector<at::Tensor> layer_normalization(const OpCall& call) {
  const at::Tensor& x = call.input(0);
  int64_t axis = call.node.int_or("axis", -1);
  if (axis < 0) axis += x.dim();
  if (axis < 0 || axis >= x.dim()) call.refuse("axis {} is outside rank {}", axis, x.dim());
  const std::vector<int64_t> normalized = x.sizes().slice(static_cast<size_t>(axis)).vec();
  const at::Tensor scale = call.input(1).expand(normalized);
  const at::Tensor shift = call.has_input(2) ? call.inputs[2].expand(normalized) : at::Tensor();
  return {at::layer_norm(x, normalized, scale, shift, epsilon_of(call), false)};
}

std::vector<at::Tensor> instance_normalization(const OpCall& call) {
  return {at::instance_norm(call.input(0), call.input(1), call.input(2), {}, {}, true, 0, epsilon_of(call), false)};
}

// Since opset 21 scale and bias have one number per channel, before one per group.
std::vector<at::Tensor> group_normalization(const OpCall& call) {
  const at::Tensor& x = call.input(0);
  const int64_t groups = call.node.int_or("num_groups", 1);
  if (groups < 1 || x.size(1) % groups != 0)
    call.refuse("{} channels can't be split into {} groups", x.size(1), groups);
  const auto per_channel = [&](const at::Tensor& parameter) {
    return call.opset >= 21 ? parameter : parameter.repeat_interleave(x.size(1) / groups);
  };
  return {at::group_norm(x, groups, per_channel(call.input(1)), per_channel(call.input(2)), epsilon_of(call), false)};
}

}  // namespace halftone::train::ops
