// Networks for any batch size that the suites of sessions run: small, but with everything a run goes through.
#pragma once

#include "tests/support/quantized_net.h"

namespace halftone::test {

inline constexpr int64_t kImage = 3 * 11 * 9, kClasses = 10;

// Convolutions (dense, depthwise, pointwise) with a gate, a residual sum, pools and a classifier: x[N, 3, 11, 9] to
// y[N, 10]. Quantized, all of it is on codes from x to y.
inline QuantizedModel classifier(bool quantized) {
  NetBuilder net;
  Rng rng(4);
  const auto weights = [&](const std::string& name, const Shape& shape, bool per_channel) {
    const std::vector<float> content = random_floats(rng, element_count(shape), -0.2, 0.2);
    if (!quantized) return net.constant(name, shape, content);
    std::vector<float> scales(per_channel ? static_cast<size_t>(shape[0]) : 1, 0.2F / 127);
    return net.constant(name, shape, content, weight_grid(std::move(scales), per_channel ? 0 : -1));
  };
  const auto value = [&](const std::string& op, std::vector<ValueId> inputs, const std::string& name,
                         const QuantParams& grid,
                         const std::vector<std::pair<std::string, AttributeValue>>& attributes = {}) {
    return quantized ? net.node(op, std::move(inputs), name, grid, attributes)
                     : net.node(op, std::move(inputs), name, attributes);
  };
  const auto padded = [](int64_t group) {
    return std::vector<std::pair<std::string, AttributeValue>>{{"pads", std::vector<int64_t>{1, 1, 1, 1}},
                                                               {"group", group}};
  };
  const ValueId x = quantized ? net.input("x", {1, 3, 11, 9}, uint8_grid(0.008F, 127)) : net.input("x", {1, 3, 11, 9});
  net.model.graph.value(x).type.shape->front() = Dim("N");
  const ValueId bias = net.constant("bias", {24}, random_floats(rng, 24, -0.5, 0.5));
  const ValueId stem =
      value("Relu", {net.node("Conv", {x, weights("stem.w", {24, 3, 3, 3}, true), bias}, "stem.sum", padded(1))},
            "stem", uint8_grid(0.01F, 0));
  const ValueId depthwise = value("Conv", {stem, weights("depthwise.w", {24, 1, 3, 3}, true)}, "depthwise",
                                  uint8_grid(0.01F, 128), padded(24));
  const ValueId gate = value("Sigmoid", {depthwise}, "gate", uint8_grid(1.0F / 256, 0));
  const ValueId gated = value("Mul", {depthwise, gate}, "gated", uint8_grid(0.01F, 128));
  const ValueId pointwise =
      value("Conv", {gated, weights("pointwise.w", {24, 24, 1, 1}, true)}, "pointwise", uint8_grid(0.01F, 128));
  const ValueId sum = value("Add", {stem, pointwise}, "sum", uint8_grid(0.02F, 100));
  const ValueId largest =
      value("MaxPool", {sum}, "largest", uint8_grid(0.02F, 100),
            {{"kernel_shape", std::vector<int64_t>{2, 2}}, {"strides", std::vector<int64_t>{1, 1}}});
  const ValueId mean = value("AveragePool", {sum}, "mean", uint8_grid(0.02F, 100),
                             {{"kernel_shape", std::vector<int64_t>{2, 2}}, {"strides", std::vector<int64_t>{1, 1}}});
  const ValueId both = value("Concat", {largest, mean}, "both", uint8_grid(0.02F, 100), {{"axis", int64_t{1}}});
  const ValueId pooled = value("GlobalAveragePool", {both}, "pooled", uint8_grid(0.01F, 100));
  const ValueId flat = value("Flatten", {pooled}, "flat", uint8_grid(0.01F, 100));
  net.output(
      value("Gemm", {flat, weights("head.w", {10, 48}, false)}, "y", uint8_grid(0.01F, 128), {{"transB", int64_t{1}}}));
  return net.model;
}

inline std::vector<float> random_images(uint64_t seed, int64_t batch) {
  Rng rng(seed);
  return random_floats(rng, batch * kImage, -1, 1);
}

}  // namespace halftone::test
