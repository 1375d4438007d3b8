// How far apart two executors of a network, or two networks, are.
#pragma once

#include <algorithm>
#include <cmath>

#include "halftone/tensor/tensor_map.h"

namespace halftone::test {

// The largest difference over the largest expected magnitude, of floats; infinite where something found is not a number
// or the shapes differ.
inline double relative_difference(const Tensor& found, const Tensor& expected) {
  if (found.shape() != expected.shape()) return INFINITY;
  double difference = 0, magnitude = 1e-30;
  for (int64_t i = 0; i < expected.size(); ++i) {
    const auto at = static_cast<size_t>(i);
    const double e = expected.data<float>()[at], f = found.data<float>()[at];
    difference = std::max(difference, std::isnan(f) ? INFINITY : std::abs(f - e));
    magnitude = std::max(magnitude, std::abs(e));
  }
  return difference / magnitude;
}

// The largest of all outputs; infinite where they aren't as many.
inline double relative_difference(const TensorMap& found, const TensorMap& expected) {
  double worst = found.size() == expected.size() ? 0 : INFINITY;
  for (const auto& [name, tensor] : expected) worst = std::max(worst, relative_difference(found.at(name), tensor));
  return worst;
}

}  // namespace halftone::test
