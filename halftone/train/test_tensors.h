// Random tensors for the room's tests.
#pragma once

#include "halftone/base/rng.h"
#include "halftone/tensor/tensor.h"
#include "halftone/train/tensors.h"

namespace halftone::train {

// Normally distributed.
inline Tensor reals(Shape shape, uint64_t seed, double spread = 1) {
  Rng rng(seed);
  Tensor tensor(DType::Float, std::move(shape));
  for (float& x : tensor.mutable_data<float>()) x = static_cast<float>(spread * rng.normal());
  return tensor;
}

inline at::Tensor drawn(const std::vector<int64_t>& shape, uint64_t seed, double spread = 1) {
  return to_torch(reals(shape, seed, spread));
}

}  // namespace halftone::train
