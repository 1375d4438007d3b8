// Zhou et al., "DoReFa-Net", 2016: weights squeezed through tanh, and gradients of few bits.
#include <cmath>

#include "halftone/train/quantizers/affine.h"
#include "halftone/train/quantizers/noise.h"

namespace halftone::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Hands values on; gradients are rounded at random to k bits within the largest of each sample (equation 12):
//   2 m (quantize(g / (2 m) + 1/2 + noise) - 1/2), m = max |g|, noise uniform in +-1/2 code
struct RoundGradient : torch::autograd::Function<RoundGradient> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, Noise::Stream stream, int64_t bits) {
    context->saved_data["bits"] = bits;
    context->saved_data["seed"] = static_cast<int64_t>(stream.seed);
    context->saved_data["call"] = static_cast<int64_t>(stream.call);
    return x.view_as(x);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const at::Tensor& g = gradients[0];
    const double codes = std::ldexp(1.0, static_cast<int>(context->saved_data["bits"].toInt())) - 1;
    const Noise::Stream stream{static_cast<uint64_t>(context->saved_data["seed"].toInt()),
                               static_cast<uint64_t>(context->saved_data["call"].toInt())};
    std::vector<int64_t> within;
    for (int64_t d = g.dim() > 1 ? 1 : 0; d < g.dim(); ++d) within.push_back(d);
    const at::Tensor span = (2 * at::amax(g.abs(), within, true)).clamp_min(1e-30);
    const at::Tensor noise = uniform_noise(g.sizes(), stream);
    const at::Tensor code = ((g / span + 0.5) * codes + noise).round().clamp(0, codes);
    return {(code / codes - 0.5) * span, at::Tensor(), at::Tensor()};
  }
};

class DoReFa : public Quantizer {
 public:
  DoReFa(const Start& start, int64_t gradient_bits)
      : grid_(start.params), weights_(start.weights()), gradient_bits_(gradient_bits), noise_(start.seed) {
    // The paper's weights end in [-1, 1], whatever they were; these keep the span that they start with, because the
    // network around them is trained already.
    if (weights_) span_ = grid_.scale * grid_.codes.high;
  }

  at::Tensor apply(const at::Tensor& real, Mode mode) override {
    if (!weights_) return fake_quantize(with_rounded_gradient(real, mode), grid_.scale, grid_.zero_point, grid_.codes);
    // tanh(w) / max |tanh(w)|, times the span. 0 is a number of the grid here, unlike in the paper, where codes lie
    // halfway: the engine's zero is exact.
    const at::Tensor squeezed = at::tanh(real);
    const at::Tensor unit = squeezed / squeezed.abs().max().clamp_min(1e-30);
    const at::Tensor span = along_axis(span_, real, grid_.codes.axis);
    return fake_quantize(unit * span, grid_.scale, grid_.zero_point, grid_.codes);
  }
  QuantParams params() const override { return grid_.now(); }
  std::vector<Learned> buffers() override {
    std::vector<Learned> all = {{"scale", grid_.scale}, {"zero_point", grid_.zero_point}};
    if (weights_) all.push_back({"span", span_});
    if (gradient_bits_ > 0) all.push_back({"noise_calls", noise_.calls()});
    return all;
  }

 private:
  at::Tensor with_rounded_gradient(const at::Tensor& real, Mode mode) {
    if (gradient_bits_ == 0 || mode != Mode::Training) return real;
    return RoundGradient::apply(real, noise_.next(), gradient_bits_);
  }

  AffineGrid grid_;
  bool weights_;
  int64_t gradient_bits_;
  Noise noise_;
  at::Tensor span_;
};

}  // namespace

std::unique_ptr<Quantizer> make_dorefa(const Start& start, ptq::StepWords& words) {
  require_affine("dorefa", start.params);
  const int64_t gradient_bits = start.weights() ? 0 : words.count("gradient_bits", 0, 0, 16);
  return std::make_unique<DoReFa>(start, gradient_bits);
}

}  // namespace halftone::train
