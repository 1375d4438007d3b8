// BatchNormalization. https://onnx.ai/onnx/operators/onnx__BatchNormalization.html
#include "halftone/sim/ops.h"
#include "halftone/sim/ops/moments.h"
#include "halftone/sim/ops/typed_operands.h"

namespace halftone::sim::ops {
namespace {

// Training is an attribute since opset 14; before, a node trained when it named the statistics among its outputs.
bool is_training(const OpCall& call) {
  if (call.opset >= 14) return call.node.int_or("training_mode", 0) != 0;
  return call.node.output(1) != ValueId::None;
}

Planes channels_of(const OpCall& call) {
  const Tensor& x = call.input(0);
  Planes planes = x.rank() == 1 ? Planes{x.dim(0), 1, 1} : planes_of(call, x);
  if (call.opset < 9 && call.node.int_or("spatial", 1) == 0) {
    // Every place of a plane has statistics of its own.
    planes.channels *= planes.area;
    planes.area = 1;
  }
  return planes;
}

// running = running * momentum + current * (1 - momentum)
template <typename T>
Tensor blend(std::span<const T> running, const std::vector<double>& current, double momentum) {
  Tensor result(dtype_of<T>(), {static_cast<int64_t>(current.size())});
  const std::span<T> out = result.mutable_data<T>();
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<T>(static_cast<double>(running[i]) * momentum + current[i] * (1.0 - momentum));
  }
  return result;
}

// y = (x - mean) / sqrt(variance + epsilon) * scale + bias, with the given statistics or, in training, the batch's own.
template <typename T>
std::vector<Tensor> batch_normalization_of(const OpCall& call) {
  const Planes planes = channels_of(call);
  const std::span<const T> x = elements<T>(call, 0);
  const std::span<const T> scale = elements<T>(call, 1, planes.channels);
  const std::span<const T> bias = elements<T>(call, 2, planes.channels);
  const std::span<const T> mean = elements<T>(call, 3, planes.channels);
  const std::span<const T> variance = elements<T>(call, 4, planes.channels);
  const T epsilon = static_cast<T>(call.node.float_or("epsilon", 1e-5f));
  const bool training = is_training(call);

  Moments batch;
  if (training) {
    if (x.empty()) call.refuse("training requires at least one element");
    batch = moments_of(x, planes.channels, [&](int64_t i) { return i / planes.area % planes.channels; });
  }
  Tensor y(dtype_of<T>(), call.input(0).shape());
  T* out = y.mutable_data<T>().data();
  const T* in = x.data();
  for (int64_t plane = 0; plane < planes.batch * planes.channels; ++plane) {
    const auto c = static_cast<size_t>(plane % planes.channels);
    const T center = training ? static_cast<T>(batch.mean[c]) : mean[c];
    const T spread = training ? static_cast<T>(batch.variance[c]) : variance[c];
    const T factor = T{1} / std::sqrt(spread + epsilon);
    for (int64_t i = 0; i < planes.area; ++i) *out++ = (*in++ - center) * factor * scale[c] + bias[c];
  }
  if (!training) return {y};

  const auto momentum = static_cast<double>(call.node.float_or("momentum", 0.9f));
  std::vector<Tensor> results = {y, blend(mean, batch.mean, momentum), blend(variance, batch.variance, momentum)};
  if (call.opset < 14) {  // saved_mean and saved_var: what this batch was normalized with
    results.push_back(blend(mean, batch.mean, 0.0));
    results.push_back(blend(variance, batch.variance, 0.0));
  }
  return results;
}

}  // namespace

std::vector<Tensor> batch_normalization(const OpCall& call) {
  std::vector<Tensor> results =
      in_floating(call, []<typename T>(const OpCall& c) { return batch_normalization_of<T>(c); });
  // Statistics leave in the type in which they came.
  for (size_t i = 1; i < results.size(); ++i) results[i] = convert(results[i], call.input(3).dtype());
  return results;
}

}  // namespace halftone::sim::ops
