// Esser et al., "Learned Step Size Quantization", ICLR 2020; Bhalgat et al., "LSQ+", CVPR Workshops 2020.
#include <cmath>

#include "halftone/train/quantizers/affine.h"

namespace halftone::train {
namespace {

class LearnedScale : public Quantizer {
 public:
  LearnedScale(const Start& start, bool learn_zero_point)
      : grid_(start.params), weights_(start.weights()), learn_zero_point_(learn_zero_point) {
    grid_.scale.set_requires_grad(true);
    grid_.zero_point.set_requires_grad(learn_zero_point);
  }

  // Section 2.1: s = 2 <|v|> / sqrt(highest code), of a float tensor.
  void start_from(const at::Tensor& content) {
    const at::NoGradGuard no_grad;
    const at::Tensor mean = content.abs().mean(dimensions_but(content, grid_.codes.axis)).reshape({-1});
    grid_.scale.copy_(at::clamp_min(2 * mean / std::sqrt(grid_.codes.high), kLeastScale));
  }

  at::Tensor apply(const at::Tensor& real, Mode) override {
    return fake_quantize(real, grid_.scale, grid_.zero_point, grid_.codes, {grid_.gradient_scale(real, weights_)});
  }
  QuantParams params() const override { return grid_.now(); }
  std::vector<Learned> learned() override {
    std::vector<Learned> all = {{"scale", grid_.scale, 0, true}};
    if (learn_zero_point_) all.push_back({"zero_point", grid_.zero_point});
    return all;
  }
  std::vector<Learned> buffers() override {
    return learn_zero_point_ ? std::vector<Learned>{} : std::vector<Learned>{{"zero_point", grid_.zero_point}};
  }
  // A step too far may take a scale below zero, where it has no meaning.
  void project() override {
    const at::NoGradGuard no_grad;
    grid_.scale.abs_().clamp_min_(kLeastScale);
    if (learn_zero_point_) grid_.zero_point.clamp_(grid_.codes.low, grid_.codes.high);
  }

 private:
  AffineGrid grid_;
  bool weights_, learn_zero_point_;
};

}  // namespace

std::unique_ptr<Quantizer> make_lsq(const Start& start, ptq::StepWords& words) {
  require_affine("lsq", start.params);
  static constexpr std::string_view kStarts[] = {"calibrated", "mean"};
  auto quantizer = std::make_unique<LearnedScale>(start, false);
  if (words.choice("start", kStarts) == "mean") {
    if (!start.weights()) {
      fail(ErrorCode::InvalidArgument, "quantizer 'lsq'",
           "'start=mean' looks at weights; activations start from what calibration found");
    }
    quantizer->start_from(start.content);
  }
  return quantizer;
}

std::unique_ptr<Quantizer> make_lsq_plus(const Start& start, ptq::StepWords&) {
  require_affine("lsq_plus", start.params);
  return std::make_unique<LearnedScale>(start, true);
}

}  // namespace halftone::train
