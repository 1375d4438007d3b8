// What the tests of products on grids found at run time share: weights.
#pragma once

#include "halftone/transform/qdq_test_nets.h"

namespace halftone::test {

inline const std::vector<float> kScales = {0.01F, 0.02F, 0.003F};

inline QuantParams int8_weights(std::vector<float> scales, int64_t axis, int32_t zero_point = 0) {
  QuantParams params{DType::Int8, -128, 127, std::move(scales), {}, axis, 0};
  params.zero_point.assign(params.scale.size(), zero_point);
  return params;
}

// Weights on their grid.
inline ValueId weights(NetBuilder& net, Rng& rng, const std::string& name, const Shape& shape,
                       const QuantParams& params) {
  const Tensor real = Tensor::from(shape, random_floats(rng, element_count(shape), -0.5, 0.5));
  net.encode(name, params);
  net.model.encodings[name].spec.narrow_range = false;
  return net.model.graph.add_constant(name, fake_quantize(real, params));
}

inline Shape counted(std::initializer_list<int64_t> dims) { return dims; }

}  // namespace halftone::test
