// Jain et al., "Trained Quantization Thresholds", MLSys 2020: the logarithm of the scale is learned and rounded.
#include <cmath>

#include "halftone/train/quantizers/affine.h"

namespace halftone::train {
namespace {

class PowerOfTwoScale : public Quantizer {
 public:
  explicit PowerOfTwoScale(const Start& start) : grid_(start.params), weights_(start.weights()) {
    exponent_ = at::log2(grid_.scale.clamp_min(kLeastScale));
    exponent_.set_requires_grad(true);
  }
  at::Tensor apply(const at::Tensor& real, Mode) override {
    return fake_quantize(real, scale_of_now(), grid_.zero_point, grid_.codes, {grid_.gradient_scale(real, weights_)});
  }
  QuantParams params() const override {
    const at::NoGradGuard no_grad;
    return grid_.now(scale_of_now(), grid_.zero_point);
  }
  std::vector<Learned> learned() override { return {{"log2_scale", exponent_}}; }
  std::vector<Learned> buffers() override { return {{"zero_point", grid_.zero_point}}; }
  // Within the normal floats.
  void project() override {
    const at::NoGradGuard no_grad;
    exponent_.clamp_(-33, 100);
  }

 private:
  // 2^ceil(log2 s), as the paper rounds, so that nothing that was inside the range falls out; straight through.
  at::Tensor scale_of_now() const { return at::exp2(exponent_ + (exponent_.ceil() - exponent_).detach()).contiguous(); }

  AffineGrid grid_;
  bool weights_;
  at::Tensor exponent_;
};

}  // namespace

std::unique_ptr<Quantizer> make_power_of_two_scale(const Start& start, ptq::StepWords&) {
  require_affine("power_of_two_scale", start.params);
  return std::make_unique<PowerOfTwoScale>(start);
}

}  // namespace halftone::train
