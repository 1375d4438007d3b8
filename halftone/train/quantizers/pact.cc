// Choi et al., "PACT: Parameterized Clipping Activation for Quantized Neural Networks", 2018.
#include "halftone/train/quantizers/affine.h"

namespace halftone::train {
namespace {

// y = round(clip(x, 0, alpha) * n / alpha) * alpha / n with n codes above 0; dy/dalpha = 1 where x >= alpha, else 0.
class Pact : public Quantizer {
 public:
  Pact(const Start& start, double decay) : grid_(start.params), decay_(decay) {
    const at::NoGradGuard no_grad;
    alpha_ = grid_.scale * grid_.codes.high;
    alpha_.set_requires_grad(true);
  }
  at::Tensor apply(const at::Tensor& real, Mode) override {
    return fake_quantize(real, scale_of_now(), grid_.zero_point, grid_.codes, {1.0, false});
  }
  QuantParams params() const override {
    const at::NoGradGuard no_grad;
    return grid_.now(scale_of_now(), grid_.zero_point);
  }
  std::vector<Learned> learned() override { return {{"alpha", alpha_, decay_, true}}; }
  void project() override {
    const at::NoGradGuard no_grad;
    alpha_.clamp_min_(kLeastScale);
  }

 private:
  at::Tensor scale_of_now() const { return (alpha_ / grid_.codes.high).contiguous(); }

  AffineGrid grid_;
  double decay_;
  at::Tensor alpha_;
};

}  // namespace

std::unique_ptr<Quantizer> make_pact(const Start& start, ptq::StepWords& words) {
  require_affine("pact", start.params);
  const double decay = words.number("decay", 1e-4, 0, 1);
  for (int32_t zero : start.params.zero_point) {
    if (zero == 0 && start.params.q_min == 0) continue;
    fail(ErrorCode::InvalidArgument, "quantizer 'pact'",
         "is for activations that are never below 0, found a grid with codes below zero; use lsq_plus there");
  }
  return std::make_unique<Pact>(start, decay);
}

}  // namespace halftone::train
