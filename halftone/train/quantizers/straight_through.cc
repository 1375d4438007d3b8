// The straight-through estimator on an affine grid whose range is fixed, follows what it sees, or is learned.
#include <cmath>

#include "halftone/train/quantizers/affine.h"

namespace halftone::train {
namespace {

// The extremes of each slice, as two lists.
struct Extremes {
  at::Tensor low, high;

  Extremes(const at::Tensor& real, int64_t axis) {
    const std::vector<int64_t> others = dimensions_but(real, axis);
    low = others.empty() ? real.clone() : at::amin(real, others).reshape({-1});
    high = others.empty() ? real.clone() : at::amax(real, others).reshape({-1});
  }
};

class FixedRange : public Quantizer {
 public:
  explicit FixedRange(const Start& start) : grid_(start.params) {}
  at::Tensor apply(const at::Tensor& real, Mode) override {
    return fake_quantize(real, grid_.scale, grid_.zero_point, grid_.codes);
  }
  QuantParams params() const override { return grid_.now(); }
  std::vector<Learned> buffers() override { return {{"scale", grid_.scale}, {"zero_point", grid_.zero_point}}; }

 protected:
  AffineGrid grid_;
};

// Weights: the range is that of the moment. Activations: a moving average of the batches' extremes, which inference
// keeps. A symmetric grid stays symmetric.
class MovingRange : public FixedRange {
 public:
  MovingRange(const Start& start, double momentum)
      : FixedRange(start), momentum_(start.weights() ? 0 : momentum), symmetric_(is_symmetric(start.params)) {
    const at::NoGradGuard no_grad;
    low_ = grid_.scale * (grid_.codes.low - grid_.zero_point);
    high_ = grid_.scale * (grid_.codes.high - grid_.zero_point);
  }

  at::Tensor apply(const at::Tensor& real, Mode mode) override {
    if (mode == Mode::Training) observe(real.detach());
    return FixedRange::apply(real, mode);
  }
  std::vector<Learned> buffers() override {
    std::vector<Learned> all = FixedRange::buffers();
    all.push_back({"low", low_});
    all.push_back({"high", high_});
    return all;
  }

 private:
  static bool is_symmetric(const QuantParams& params) {
    for (int32_t zero : params.zero_point) {
      if (zero != 0 || params.q_min >= 0) return false;
    }
    return true;
  }

  void observe(const at::Tensor& real) {
    const at::NoGradGuard no_grad;
    const Extremes seen(real, grid_.codes.axis);
    low_.mul_(momentum_).add_(seen.low.clamp_max(0) * (1 - momentum_));
    high_.mul_(momentum_).add_(seen.high.clamp_min(0) * (1 - momentum_));
    const CodeGrid& codes = grid_.codes;
    if (symmetric_) {
      grid_.scale.copy_((at::maximum(-low_, high_) / codes.high).clamp_min(kLeastScale));
    } else {
      grid_.scale.copy_(((high_ - low_) / (codes.high - codes.low)).clamp_min(kLeastScale));
      grid_.zero_point.copy_((codes.low - low_ / grid_.scale).round().clamp(codes.low, codes.high));
    }
  }

  double momentum_;
  bool symmetric_;
  at::Tensor low_, high_;
};

// Both bounds are learned: dy/dlow = 1 below the range, dy/dhigh = 1 above it. A grid around 0 has one bound.
class LearnedRange : public Quantizer {
 public:
  explicit LearnedRange(const Start& start) : grid_(start.params), two_(start.params.q_min >= 0) {
    const at::NoGradGuard no_grad;
    high_ = (grid_.scale * (grid_.codes.high - grid_.zero_point)).clone();
    low_ = two_ ? (grid_.scale * (grid_.codes.low - grid_.zero_point)).clone() : at::Tensor();
    high_.set_requires_grad(true);
    if (two_) low_.set_requires_grad(true);
  }

  at::Tensor apply(const at::Tensor& real, Mode) override {
    const at::Tensor scale = scale_of_now();
    // Where the bounds belong to two codes, the zero point moves with them; not in what fake_quantize rounds it to.
    return fake_quantize(real, scale, zero_point_of(scale), grid_.codes, {1.0, false});
  }
  QuantParams params() const override {
    const at::NoGradGuard no_grad;
    const at::Tensor scale = scale_of_now();
    return grid_.now(scale, zero_point_of(scale));
  }
  std::vector<Learned> learned() override {
    std::vector<Learned> all = {{"high", high_}};
    if (two_) all.push_back({"low", low_});
    return all;
  }
  std::vector<Learned> buffers() override { return {{"zero_point", grid_.zero_point}}; }
  // The range contains 0 and is never empty.
  void project() override {
    const at::NoGradGuard no_grad;
    high_.clamp_min_(two_ ? 0 : kLeastScale);
    if (!two_) return;
    low_.clamp_max_(0);
    high_.copy_(at::maximum(high_, low_ + kLeastScale * (grid_.codes.high - grid_.codes.low)));
  }

 private:
  at::Tensor scale_of_now() const {
    const CodeGrid& codes = grid_.codes;
    if (!two_) return (high_ / (codes.high - grid_.zero_point)).contiguous();
    return ((high_ - low_) / (codes.high - codes.low)).clamp_min(kLeastScale).contiguous();
  }
  at::Tensor zero_point_of(const at::Tensor& scale) const {
    return two_ ? (grid_.codes.low - low_ / scale).contiguous() : grid_.zero_point;
  }

  AffineGrid grid_;
  bool two_;
  at::Tensor low_, high_;
};

}  // namespace

std::unique_ptr<Quantizer> make_straight_through(const Start& start, ptq::StepWords& words) {
  require_affine("straight_through", start.params);
  static constexpr std::string_view kRanges[] = {"fixed", "moving_average", "learned"};
  const std::string ranges = words.choice("range", kRanges);
  const double momentum = words.number("momentum", 0.9, 0, 1);
  if (ranges == "fixed") return std::make_unique<FixedRange>(start);
  if (ranges == "learned") return std::make_unique<LearnedRange>(start);
  return std::make_unique<MovingRange>(start, momentum);
}

}  // namespace halftone::train
