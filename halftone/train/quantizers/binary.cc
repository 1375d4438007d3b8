// Rastegari et al., "XNOR-Net", ECCV 2016: W ~ alpha sign(W), alpha the mean magnitude, per output channel or tensor.
#include "halftone/train/quantizers/signs.h"

namespace halftone::train {
namespace {

class Binary : public FollowingScale {
 public:
  explicit Binary(const Start& start) : FollowingScale(start.params) {}

  // dC/dW = dC/dWb (1 / n + alpha 1[|W| <= 1]), n the weights that share alpha (equation 6).
  at::Tensor apply(const at::Tensor& real, Mode) override {
    const at::Tensor fixed = real.detach();
    const at::Tensor alpha = mean_size(fixed, params_.axis).clamp_min(kLeastScale);
    scale_.copy_(alpha.reshape({-1}));
    const at::Tensor sign = at::where(fixed >= 0, at::full({}, 1.0f), at::full({}, -1.0f));
    const double shared = static_cast<double>(real.numel()) / static_cast<double>(scale_.numel());
    return with_gradient_of(real / shared + alpha * at::clamp(real, -1, 1), alpha * sign);
  }
};

}  // namespace

std::unique_ptr<Quantizer> make_binary(const Start& start, ptq::StepWords&) {
  if (start.params.levels != std::vector<float>{-1, 1}) {
    fail(ErrorCode::InvalidArgument, "quantizer 'binary'", "requires weights of \"grid\": \"binary\", found another");
  }
  return std::make_unique<Binary>(start);
}

}  // namespace halftone::train
