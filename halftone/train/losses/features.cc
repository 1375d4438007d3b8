#include <cmath>

#include "halftone/train/losses/layers.h"

namespace halftone::train {
namespace {

// The mean square of adapter(student) - teacher. The adapter maps channels (1x1 convolution without bias, He's
// initialization) where the widths differ, and is trained along; otherwise there is none.
class Features : public LayerLoss {
 public:
  using LayerLoss::LayerLoss;
  at::Tensor of(const LossCall& call) override {
    const at::Tensor s = student(call), t = teacher(call);
    check_planes(s, t);
    if (s.size(1) == t.size(1)) return (s - t).pow(2).mean();
    if (!adapter_.defined()) {
      Rng rng(0);
      adapter_ = at::empty({t.size(1), s.size(1)});
      const double spread = std::sqrt(2.0 / static_cast<double>(s.size(1)));
      for (int64_t i = 0; i < adapter_.numel(); ++i) {
        adapter_.data_ptr<float>()[i] = static_cast<float>(spread * rng.normal());
      }
      adapter_.set_requires_grad(true);
    }
    const at::Tensor mapped = at::einsum("oc,nc...->no...", {adapter_, s});
    return (mapped - t).pow(2).mean();
  }
  std::vector<Learned> learned() override {
    return adapter_.defined() ? std::vector<Learned>{{"adapter", adapter_}} : std::vector<Learned>{};
  }

 private:
  at::Tensor adapter_;
};

}  // namespace

std::unique_ptr<Loss> make_features_loss(ptq::StepWords& words) { return std::make_unique<Features>(words); }

}  // namespace halftone::train
