// Zhou et al., "Incremental Network Quantization", ICLR 2017: the largest weights are rounded and held first, the
// others are trained to make up for it, portion by portion.
#include "halftone/train/quantizers/affine.h"
#include "halftone/train/tensors.h"

namespace halftone::train {
namespace {

// Section 3.2 and its experiments: after which part of the training how many of the weights are held.
struct Portion {
  double from, held;
};
constexpr Portion kPortions[] = {{0, 0.5}, {0.25, 0.75}, {0.5, 0.875}, {0.75, 1}};

class Incremental : public Quantizer {
 public:
  explicit Incremental(const Start& start) : params_(start.params), held_(at::zeros(start.content.sizes())) {
    rounded_ = at::zeros(start.content.sizes());
  }

  at::Tensor apply(const at::Tensor& real, Mode mode) override {
    if (mode == Mode::Inference) return at::where(held_ > 0, rounded_, on_grid(real));
    hold(real, portion_);
    return at::where(held_ > 0, rounded_, real);
  }
  QuantParams params() const override { return params_; }
  std::vector<Learned> buffers() override { return {{"held", held_}, {"rounded", rounded_}}; }
  void advance(double progress) override {
    for (const Portion& portion : kPortions) {
      if (progress >= portion.from) portion_ = portion.held;
    }
  }

 private:
  at::Tensor on_grid(const at::Tensor& real) const {
    return to_torch(halftone::fake_quantize(from_torch(real), params_));
  }

  // Rounds the largest of those that are free until `wanted` of all are held.
  void hold(const at::Tensor& real, double wanted) {
    const at::NoGradGuard no_grad;
    const auto all = real.numel();
    const auto now = static_cast<int64_t>(held_.sum().item<double>());
    const int64_t more = static_cast<int64_t>(wanted * static_cast<double>(all) + 0.5) - now;
    if (more <= 0) return;
    const at::Tensor size = at::where(held_ > 0, at::full({}, -1.0f), real.abs()).reshape({-1});
    const at::Tensor chosen = std::get<1>(at::topk(size, more));
    rounded_.reshape({-1}).index_copy_(0, chosen, on_grid(real).reshape({-1}).index_select(0, chosen));
    held_.reshape({-1}).index_fill_(0, chosen, 1);
  }

  QuantParams params_;
  at::Tensor held_, rounded_;
  double portion_ = kPortions[0].held;
};

}  // namespace

std::unique_ptr<Quantizer> make_incremental(const Start& start, ptq::StepWords&) {
  return std::make_unique<Incremental>(start);
}

}  // namespace halftone::train
