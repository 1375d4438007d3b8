// LayerNormalization and RMSNormalization. https://onnx.ai/onnx/operators/onnx__LayerNormalization.html
#include "halftone/sim/ops.h"
#include "halftone/sim/ops/moments.h"
#include "halftone/sim/ops/typed_operands.h"

namespace halftone::sim::ops {
namespace {

// The dimensions from `axis` on are normalized together: `rows` groups of `length` neighbours.
struct NormalizedRows {
  int64_t rows, length;
  Shape statistics;  // the operand's shape with ones from the axis on
};

NormalizedRows normalized_rows(const OpCall& call) {
  const Shape& shape = call.input(0).shape();
  const auto rank = static_cast<int64_t>(shape.size());
  const int64_t axis = normalize_axis(call.node.int_or("axis", -1), rank);
  const auto at = shape.begin() + axis;
  NormalizedRows rows{element_count(Shape(shape.begin(), at)), element_count(Shape(at, shape.end())), shape};
  std::fill(rows.statistics.begin() + axis, rows.statistics.end(), 1);
  if (rows.length == 0) call.refuse("can't normalize over no elements, found {}", to_string(shape));
  return rows;
}

// y = y * scale + bias, inputs 1 and 2, broadcast; input 2 may be left out.
template <typename T>
void scale_and_shift(const OpCall& call, std::span<T> y) {
  const Shape& shape = call.input(0).shape();
  const Tensor scales = broadcast_input<T>(call, 1, shape);
  const std::span<const T> scale = scales.data<T>();
  for (size_t i = 0; i < y.size(); ++i) y[i] *= scale[i];
  if (!call.has_input(2)) return;
  const Tensor biases = broadcast_input<T>(call, 2, shape);
  const std::span<const T> bias = biases.data<T>();
  for (size_t i = 0; i < y.size(); ++i) y[i] += bias[i];
}

template <typename T>
Tensor statistics_tensor(const Shape& shape, const std::vector<double>& values) {
  return Tensor::from(shape, std::vector<T>(values.begin(), values.end()));
}

// y = (x - mean) / sqrt(variance + epsilon) * scale + bias
template <typename T>
std::vector<Tensor> layer_normalization_of(const OpCall& call) {
  const NormalizedRows rows = normalized_rows(call);
  const std::span<const T> x = elements<T>(call, 0);
  const auto epsilon = static_cast<double>(call.node.float_or("epsilon", 1e-5f));
  const Moments moments = moments_of(x, rows.rows, [&](int64_t i) { return i / rows.length; });
  std::vector<double> inverse_deviation;
  for (double variance : moments.variance) inverse_deviation.push_back(1.0 / std::sqrt(variance + epsilon));

  Tensor y(dtype_of<T>(), call.input(0).shape());
  const std::span<T> out = y.mutable_data<T>();
  for (size_t i = 0; i < out.size(); ++i) {
    const size_t row = i / static_cast<size_t>(rows.length);
    out[i] = static_cast<T>((static_cast<double>(x[i]) - moments.mean[row]) * inverse_deviation[row]);
  }
  scale_and_shift(call, out);
  return {y, statistics_tensor<T>(rows.statistics, moments.mean),
          statistics_tensor<T>(rows.statistics, inverse_deviation)};
}

// y = x / sqrt(mean(x^2) + epsilon) * scale
template <typename T>
std::vector<Tensor> rms_normalization_of(const OpCall& call) {
  const NormalizedRows rows = normalized_rows(call);
  const std::span<const T> x = elements<T>(call, 0);
  const auto epsilon = static_cast<double>(call.node.float_or("epsilon", 1e-5f));
  const auto length = static_cast<size_t>(rows.length);
  Tensor y(dtype_of<T>(), call.input(0).shape());
  const std::span<T> out = y.mutable_data<T>();
  for (size_t first = 0; first < out.size(); first += length) {
    double sum = 0;
    for (T value : x.subspan(first, length)) sum += static_cast<double>(value) * static_cast<double>(value);
    const double root = std::sqrt(sum / static_cast<double>(length) + epsilon);
    for (size_t i = first; i < first + length; ++i) out[i] = static_cast<T>(static_cast<double>(x[i]) / root);
  }
  scale_and_shift(call, out);
  return {y};
}

}  // namespace

std::vector<Tensor> layer_normalization(const OpCall& call) {
  std::vector<Tensor> results =
      in_floating(call, []<typename T>(const OpCall& c) { return layer_normalization_of<T>(c); });
  const auto stash = static_cast<DType>(call.node.int_or("stash_type", static_cast<int64_t>(DType::Float)));
  if (!is_floating(stash)) call.refuse("stash_type must be a floating-point type, found {}", static_cast<int>(stash));
  for (size_t i = 1; i < results.size(); ++i) results[i] = convert(results[i], stash);
  return results;
}

std::vector<Tensor> rms_normalization(const OpCall& call) {
  return in_floating(call, []<typename T>(const OpCall& c) { return rms_normalization_of<T>(c); });
}

}  // namespace halftone::sim::ops
