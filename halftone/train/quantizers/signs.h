// What weights of one or two magnitudes share.
#pragma once

#include "halftone/train/quantizers/affine.h"

namespace halftone::train {

// The mean magnitude of each slice of the axis (of everything for axis -1), as a tensor that broadcasts.
inline at::Tensor mean_size(const at::Tensor& real, int64_t axis) {
  return at::mean(real.abs(), dimensions_but(real, axis), true);
}

// Weights whose one scale per slice follows from them.
class FollowingScale : public Quantizer {
 public:
  explicit FollowingScale(const QuantParams& params) : params_(params), scale_(to_list(params.scale)) {}
  QuantParams params() const override {
    QuantParams result = params_;
    result.scale = to_floats(scale_);
    return result;
  }
  std::vector<Learned> buffers() override { return {{"scale", scale_}}; }

 protected:
  QuantParams params_;
  at::Tensor scale_;
};

// `value`, with the gradient of `surrogate`.
inline at::Tensor with_gradient_of(const at::Tensor& surrogate, const at::Tensor& value) {
  return value.detach() + (surrogate - surrogate.detach());
}

}  // namespace halftone::train
