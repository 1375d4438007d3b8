// Li et al., "Ternary Weight Networks", 2016: 0 below a threshold, the sign times the mean magnitude above it. Zhu et
// al., "Trained Ternary Quantization", ICLR 2017: a scale for each sign, both learned.
#include "halftone/train/quantizers/signs.h"

namespace halftone::train {
namespace {

constexpr double kMeanThreshold = 0.7;      // TWN, equation 6: times the mean magnitude
constexpr double kLargestThreshold = 0.05;  // TTQ, equation 9: times the largest magnitude

// alpha follows the weights; gradients pass straight through.
class OneScale : public FollowingScale {
 public:
  explicit OneScale(const Start& start) : FollowingScale(start.params) {
    params_.q_min = -1;
    params_.q_max = 1;
  }

  at::Tensor apply(const at::Tensor& real, Mode) override {
    const at::Tensor fixed = real.detach();
    const at::Tensor above = (fixed.abs() > kMeanThreshold * mean_size(fixed, params_.axis)).to(at::kFloat);
    const std::vector<int64_t> others = dimensions_but(fixed, params_.axis);
    const at::Tensor sum = (fixed.abs() * above).sum(others, true);
    const at::Tensor alpha = (sum / above.sum(others, true).clamp_min(1)).clamp_min(kLeastScale);
    scale_.copy_(alpha.reshape({-1}));
    return with_gradient_of(real, alpha * above * fixed.sign());
  }
};

// -n, 0, p: dC/dp = sum of dC/dWt over the positive ones, dC/dn = minus that over the negative ones, and dC/dW =
// dC/dWt times p, 1 or n (TTQ, equations 7 and 8).
class TwoScales : public Quantizer {
 public:
  explicit TwoScales(const Start& start) : axis_(start.params.axis), count_(start.params.scale.size()) {
    const at::NoGradGuard no_grad;
    const at::Tensor size = start.content.detach().abs();
    const at::Tensor above = (size > threshold_of(size)).to(at::kFloat);
    const std::vector<int64_t> others = dimensions_but(size, axis_);
    const at::Tensor mean = (size * above).sum(others, true) / above.sum(others, true).clamp_min(1);
    positive_ = mean.clamp_min(kLeastScale).clone();
    negative_ = positive_.clone();
    positive_.set_requires_grad(true);
    negative_.set_requires_grad(true);
  }

  at::Tensor apply(const at::Tensor& real, Mode) override {
    const at::Tensor fixed = real.detach();
    const at::Tensor threshold = threshold_of(fixed.abs());
    const at::Tensor up = (fixed > threshold).to(at::kFloat), down = (fixed < -threshold).to(at::kFloat);
    const at::Tensor rate = (positive_ * up + negative_ * down + (1 - up - down)).detach();
    const at::Tensor passed = real * rate;
    return positive_ * up - negative_ * down + (passed - passed.detach());
  }
  QuantParams params() const override {
    QuantParams result;
    result.dtype = DType::UInt8;
    result.q_min = 0;
    result.q_max = 2;
    result.axis = axis_;
    const std::vector<float> up = to_floats(positive_.reshape({-1})), down = to_floats(negative_.reshape({-1}));
    for (size_t i = 0; i < count_; ++i) {
      result.scale.push_back(1);
      result.zero_point.push_back(0);
      result.levels.insert(result.levels.end(), {-down[i], 0, up[i]});
    }
    return result;
  }
  std::vector<Learned> learned() override {
    return {{"positive", positive_, 0, true}, {"negative", negative_, 0, true}};
  }
  void project() override {
    const at::NoGradGuard no_grad;
    positive_.clamp_min_(kLeastScale);
    negative_.clamp_min_(kLeastScale);
  }

 private:
  at::Tensor threshold_of(const at::Tensor& size) const {
    return kLargestThreshold * at::amax(size, dimensions_but(size, axis_), true);
  }

  int64_t axis_;
  size_t count_;
  at::Tensor positive_, negative_;
};

}  // namespace

std::unique_ptr<Quantizer> make_ternary(const Start& start, ptq::StepWords& words) {
  static constexpr std::string_view kScales[] = {"one", "two"};
  if (words.choice("scales", kScales) == "two") return std::make_unique<TwoScales>(start);
  require_affine("ternary", start.params);
  return std::make_unique<OneScale>(start);
}

}  // namespace halftone::train
