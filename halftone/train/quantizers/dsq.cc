// Gong et al., "Differentiable Soft Quantization", ICCV 2019: the staircase's gradients are those of a row of tanh.
#include <cmath>

#include "halftone/train/quantizers/affine.h"
#include "halftone/train/slices.h"
#include "halftone/train/wide.h"

namespace halftone::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// With t = x / s between the whole numbers i and i + 1, v = t - i - 1/2 in [-1/2, 1/2):
//   h(t) = i + (phi + 1) / 2,  phi = tanh(k v) / (1 - alpha),  k = ln(2 / alpha - 1)
// which meets i and i + 1 at the ends, because tanh(k / 2) = 1 - alpha (paper, equations 3 to 8, in units of the step).
// The forward value is round(t), the sign of phi; gradients are those of s h(x / s):
//   dy/dx = h'(t),  dy/dalpha = s dh/dalpha,  dy/ds = h(t) - t h'(t), for which h(t) - t stands
// and outside the range those of its ends. Over every interval the mean of t h'(t) is that of t (by parts: (i + 1)^2 -
// i^2 - mean h = i + 1/2), so both have the same mean; but the spread of the exact one grows with t: at 8 bits
// it hides what the step has to learn from.
struct Stairs {
  float scale, low, high;  // codes relative to the zero point
  float alpha, k;
};

// k v of each element.
HT_WIDE void arguments_of(const float* __restrict x, float* __restrict arguments, int64_t count, const Stairs& stairs) {
  const float scale = stairs.scale, k = stairs.k;
  for (int64_t i = 0; i < count; ++i) {
    const float t = x[i] / scale;
    arguments[i] = k * (t - std::floor(t) - 0.5f);
  }
}

struct SoftTerms {
  alignas(64) float scale[kBlock], alpha[kBlock];
};

// `curve`: tanh of the arguments.
HT_WIDE void backward_soft(const float* __restrict x, const float* __restrict dy, const float* __restrict curve,
                           float* __restrict dx, int64_t count, const Stairs& stairs, SoftTerms& __restrict terms) {
  const float scale = stairs.scale, low = stairs.low, high = stairs.high, k = stairs.k, alpha = stairs.alpha;
  const float amplitude = 1 / (1 - alpha), k_by_alpha = -2 / (alpha * (2 - alpha));
  for (int64_t i = 0; i < count; ++i) {
    const float t = x[i] / scale, below = std::floor(t), v = t - below - 0.5f, given = dy[i];
    const bool inside = t >= low && t <= high;  // NaN is outside
    const float slope = 1 - curve[i] * curve[i];
    const float derivative = 0.5f * amplitude * k * slope;
    const float value = below + 0.5f * (amplitude * curve[i] + 1);
    const float by_alpha = 0.5f * (amplitude * amplitude * curve[i] + amplitude * slope * v * k_by_alpha);
    dx[i] = inside ? given * derivative : 0.0f;
    terms.scale[i] = given * (inside ? value - t : t < low ? low : high);
    terms.alpha[i] = inside ? given * scale * by_alpha : 0.0f;
  }
}

struct SoftQuantize : torch::autograd::Function<SoftQuantize> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& given, const at::Tensor& scale,
                            const at::Tensor& zero_point, const at::Tensor& alpha, double low, double high,
                            int64_t axis, double factor) {
    const at::Tensor x = given.contiguous();
    context->save_for_backward({x, scale, zero_point, alpha});
    context->saved_data["low"] = low;
    context->saved_data["high"] = high;
    context->saved_data["axis"] = axis;
    context->saved_data["factor"] = factor;
    const at::NoGradGuard no_grad;
    return fake_quantize(x, scale, zero_point, {low, high, axis});
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &scales = saved[1], &zero_points = saved[2];
    const float alpha = saved[3].item<float>(), k = std::log(2 / alpha - 1);
    const double factor = context->saved_data["factor"].toDouble();
    const Slices slices(x, context->saved_data["axis"].toInt());
    const at::Tensor dy = gradients[0].contiguous();
    at::Tensor dx = at::empty_like(x);
    std::vector<double> of_scale(static_cast<size_t>(slices.count * pieces_per_slice(slices)));
    std::vector<double> of_alpha(of_scale.size());
    const float *values = x.data_ptr<float>(), *from = dy.data_ptr<float>();
    float* to = dx.data_ptr<float>();
    for_each_piece(slices, [&](int64_t slice, int64_t first, int64_t last, int64_t number) {
      const auto at = [&](const at::Tensor& list) { return list.data_ptr<float>()[list.numel() == 1 ? 0 : slice]; };
      const float zero = at(zero_points);
      const Stairs stairs{at(scales), static_cast<float>(context->saved_data["low"].toDouble()) - zero,
                          static_cast<float>(context->saved_data["high"].toDouble()) - zero, alpha, k};
      at::Tensor curve = at::empty({last - first}, x.options());
      arguments_of(values + first, curve.data_ptr<float>(), last - first, stairs);
      curve.tanh_();
      StrandSum scale_sum, alpha_sum;
      SoftTerms terms = {};
      for (int64_t i = first; i < last; i += kBlock) {
        if (last - i < kBlock) terms = {};  // the last strands may be incomplete
        backward_soft(values + i, from + i, curve.data_ptr<float>() + (i - first), to + i, std::min(kBlock, last - i),
                      stairs, terms);
        scale_sum.add(terms.scale);
        alpha_sum.add(terms.alpha);
      }
      of_scale[static_cast<size_t>(number)] = scale_sum.total() * factor;
      of_alpha[static_cast<size_t>(number)] = alpha_sum.total() * factor;
    });
    at::Tensor scale_sums = sums_of_slices(slices, of_scale);
    if (scales.numel() == 1 && slices.count > 1) scale_sums = scale_sums.sum();
    const at::Tensor none;
    return {dx,   scale_sums.reshape(scales.sizes()),
            none, sums_of_slices(slices, of_alpha).sum().reshape({1}),
            none, none,
            none, none};
  }
};

class Dsq : public Quantizer {
 public:
  Dsq(const Start& start, double alpha, double harden_from)
      : grid_(start.params), weights_(start.weights()), alpha_(at::full({1}, alpha)), harden_from_(harden_from) {
    grid_.scale.set_requires_grad(true);
    alpha_.set_requires_grad(true);
  }

  at::Tensor apply(const at::Tensor& real, Mode) override {
    return SoftQuantize::apply(real, grid_.scale, grid_.zero_point, alpha_, grid_.codes.low, grid_.codes.high,
                               grid_.codes.axis, grid_.gradient_scale(real, weights_));
  }
  QuantParams params() const override { return grid_.now(); }
  std::vector<Learned> learned() override { return {{"scale", grid_.scale, 0, true}, {"alpha", alpha_}}; }
  std::vector<Learned> buffers() override { return {{"zero_point", grid_.zero_point}}; }

  // 0 < alpha < 1/2 (section 3.2); towards the end the bound shrinks, so that the gradients become the staircase's.
  void project() override {
    const at::NoGradGuard no_grad;
    grid_.scale.abs_().clamp_min_(kLeastScale);
    alpha_.clamp_(kSharpest, bound_);
  }
  void advance(double progress) override {
    const double late = harden_from_ >= 1 ? 0 : std::max(0.0, (progress - harden_from_) / (1 - harden_from_));
    bound_ = std::max(kSharpest, kSoftest * (1 - late));
    project();
  }

 private:
  static constexpr double kSharpest = 1e-3, kSoftest = 0.5;

  AffineGrid grid_;
  bool weights_;
  at::Tensor alpha_;
  double harden_from_, bound_ = kSoftest;
};

}  // namespace

std::unique_ptr<Quantizer> make_dsq(const Start& start, ptq::StepWords& words) {
  require_affine("dsq", start.params);
  const double alpha = words.number("alpha", 0.2, 1e-3, 0.5);
  return std::make_unique<Dsq>(start, alpha, words.number("harden_from", 0.75, 0, 1));
}

}  // namespace halftone::train
