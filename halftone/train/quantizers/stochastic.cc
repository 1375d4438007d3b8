// Gupta et al., "Deep Learning with Limited Numerical Precision", 2015: up or down at random, so that the mean is
// right.
#include "halftone/train/quantizers/affine.h"
#include "halftone/train/quantizers/noise.h"

namespace halftone::train {
namespace {

class Stochastic : public Quantizer {
 public:
  explicit Stochastic(const Start& start) : grid_(start.params), noise_(start.seed) {}

  at::Tensor apply(const at::Tensor& real, Mode mode) override {
    at::Tensor moved = real;
    if (mode == Mode::Training) {
      // The nearest code of x + s (u - 1/2), u uniform in [0, 1), is the upper neighbour with the probability by which
      // x lies above the lower one.
      const at::Tensor noise = uniform_noise(real.sizes(), noise_.next());
      moved = real + noise * along_axis(grid_.scale, real, grid_.codes.axis);
    }
    return fake_quantize(moved, grid_.scale, grid_.zero_point, grid_.codes);
  }
  QuantParams params() const override { return grid_.now(); }
  std::vector<Learned> buffers() override {
    return {{"scale", grid_.scale}, {"zero_point", grid_.zero_point}, {"noise_calls", noise_.calls()}};
  }

 private:
  AffineGrid grid_;
  Noise noise_;
};

}  // namespace

std::unique_ptr<Quantizer> make_stochastic(const Start& start, ptq::StepWords&) {
  require_affine("stochastic", start.params);
  return std::make_unique<Stochastic>(start);
}

}  // namespace halftone::train
