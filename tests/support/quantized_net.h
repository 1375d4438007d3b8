// Small quantized networks, built by hand in tests.
#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "halftone/base/rng.h"
#include "halftone/quant/encodings.h"

namespace halftone::test {

inline QuantParams per_tensor(DType dtype, float scale, int32_t zero_point, int64_t q_min, int64_t q_max) {
  return {dtype, q_min, q_max, {scale}, {zero_point}, -1, 0};
}
inline QuantParams uint8_grid(float scale, int32_t zero_point) {
  return per_tensor(DType::UInt8, scale, zero_point, 0, 255);
}
inline QuantParams int8_grid(float scale, int32_t zero_point = 0) {
  return per_tensor(DType::Int8, scale, zero_point, -128, 127);
}
// Narrow int8, zero point 0.
inline QuantParams weight_grid(std::vector<float> scales, int64_t axis) {
  QuantParams params{DType::Int8, -127, 127, std::move(scales), {}, axis, 0};
  params.zero_point.assign(params.scale.size(), 0);
  return params;
}

class NetBuilder {
 public:
  QuantizedModel model;

  ValueId input(const std::string& name, const Shape& shape) {
    const ValueId id = model.graph.add_value(name, {DType::Float, to_dims(shape)});
    model.graph.value(id).declared = true;
    model.graph.inputs().push_back(id);
    return id;
  }
  ValueId input(const std::string& name, const Shape& shape, const QuantParams& params) {
    encode(name, params);
    return input(name, shape);
  }
  ValueId constant(const std::string& name, const Shape& shape, const std::vector<float>& content) {
    return model.graph.add_constant(name, Tensor::from(shape, content));
  }
  ValueId constant(const std::string& name, const Shape& shape, const std::vector<float>& content,
                   const QuantParams& params) {
    encode(name, params);
    return constant(name, shape, content);
  }
  ValueId integers(const std::string& name, const std::vector<int64_t>& content) {
    return model.graph.add_constant(name, Tensor::from({static_cast<int64_t>(content.size())}, content));
  }
  ValueId node(const std::string& op, std::vector<ValueId> inputs, const std::string& output,
               const std::vector<std::pair<std::string, AttributeValue>>& attributes = {}) {
    const ValueId id = model.graph.add_value(output);
    Node node;
    node.name = output + "_node";
    node.op_type = op;
    node.inputs = std::move(inputs);
    node.outputs = {id};
    for (const auto& [name, value] : attributes) node.set_attribute(name, value);
    model.graph.nodes().push_back(std::move(node));
    return id;
  }
  ValueId node(const std::string& op, std::vector<ValueId> inputs, const std::string& output, const QuantParams& params,
               const std::vector<std::pair<std::string, AttributeValue>>& attributes = {}) {
    encode(output, params);
    return node(op, std::move(inputs), output, attributes);
  }
  void output(ValueId id) {
    model.graph.outputs().push_back(id);
    model.graph.value(id).declared = true;
    model.graph.value(id).type.dtype = DType::Float;
  }
  // The spec that `params` look like, as a calibration would have written it.
  void encode(const std::string& name, const QuantParams& params) {
    QuantSpec spec;
    spec.bits = static_cast<int>(std::lround(std::log2(static_cast<double>(params.q_max - params.q_min + 1))));
    spec.is_signed = is_signed_integer(params.dtype);
    spec.narrow_range = spec.is_signed && params.q_min == -params.q_max;
    spec.symmetric = spec.narrow_range;
    spec.granularity = params.per_tensor() ? Granularity::PerTensor : Granularity::PerChannel;
    if (params.block_size > 0) spec.granularity = Granularity::PerBlock;
    spec.block_size = params.block_size;
    model.encodings[name] = {params, spec};
  }
};

inline std::vector<float> random_floats(Rng& rng, int64_t count, double low, double high) {
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = static_cast<float>(rng.uniform(low, high));
  return values;
}

// Chains of convolutions with residual adds and a classifier.
inline QuantizedModel random_network(Rng& rng) {
  NetBuilder net;
  int64_t channels = 2 + static_cast<int64_t>(rng.below(4));
  ValueId x = net.input("x", {2, channels, 9, 8}, uint8_grid(0.02F, static_cast<int32_t>(rng.below(256))));
  for (int layer = 0; layer < 4; ++layer) {
    const std::string name = fmt::format("layer{}", layer);
    const bool residual = rng.below(2) == 0;
    const int64_t out = residual ? channels : 2 + static_cast<int64_t>(rng.below(6));
    std::vector<float> scales;
    for (int64_t i = 0; i < out; ++i) scales.push_back(static_cast<float>(rng.uniform(0.002, 0.01)));
    const ValueId w = net.constant(name + ".w", {out, channels, 3, 3},
                                   random_floats(rng, out * channels * 9, -0.6, 0.6), weight_grid(scales, 0));
    ValueId y = net.node("Conv", {x, w, net.constant(name + ".b", {out}, random_floats(rng, out, -1, 1))},
                         name + ".sum", {{"pads", std::vector<int64_t>{1, 1, 1, 1}}});
    const QuantParams grid = rng.below(2) == 0 ? uint8_grid(0.02F, static_cast<int32_t>(rng.below(200)))
                                               : int8_grid(0.03F, static_cast<int32_t>(rng.below(200)) - 100);
    if (residual) {
      net.encode(name + ".sum", int8_grid(0.03F, 4));
      y = net.node("Add", {x, y}, name + ".residual");
    }
    x = net.node("Relu", {y}, name, grid);
    channels = out;
  }
  x = net.node("GlobalAveragePool", {x}, "pooled", uint8_grid(0.015F, 0));
  x = net.node("Flatten", {x}, "flat", uint8_grid(0.015F, 0));
  const ValueId w =
      net.constant("fc.w", {7, channels}, random_floats(rng, 7 * channels, -1, 1), weight_grid({0.008F}, -1));
  net.output(net.node("Gemm", {x, w, net.constant("fc.b", {7}, random_floats(rng, 7, -1, 1))}, "logits",
                      {{"transB", int64_t{1}}}));
  return net.model;
}

}  // namespace halftone::test
