// What weights of one or two magnitudes share.
#pragma once

#include "halftone/train/quantizers/affine.h"

namespace halftone::train {

// Every dimension but `axis`.
inline std::vector<int64_t> dimensions_but(const at::Tensor& real, int64_t axis) {
  std::vector<int64_t> others;
  for (int64_t d = 0; d < real.dim(); ++d) {
    if (d != axis) others.push_back(d);
  }
  return others;
}

// The mean magnitude of each slice of the axis (of everything for axis -1), as a tensor that broadcasts.
inline at::Tensor mean_size(const at::Tensor& real, int64_t axis) {
  return at::mean(real.abs(), dimensions_but(real, axis), true);
}

// `value`, with the gradient of `surrogate`.
inline at::Tensor with_gradient_of(const at::Tensor& surrogate, const at::Tensor& value) {
  return value.detach() + (surrogate - surrogate.detach());
}

}  // namespace halftone::train
