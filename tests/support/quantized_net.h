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

}  // namespace halftone::test
