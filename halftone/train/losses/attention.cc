#include "halftone/train/losses/layers.h"

namespace halftone::train {
namespace {

// Where a layer looks: the mean over channels of its squares, as a vector of length 1. The loss is the mean square of
// the difference of the student's and the teacher's, whatever their widths.
class Attention : public LayerLoss {
 public:
  using LayerLoss::LayerLoss;
  at::Tensor of(const LossCall& call) override {
    const at::Tensor s = student(call), t = teacher(call);
    check_planes(s, t);
    return (map_of(s) - map_of(t)).pow(2).mean();
  }

 private:
  static at::Tensor map_of(const at::Tensor& features) {
    const at::Tensor map = features.pow(2).mean(1).flatten(1);
    return map / map.norm(2, {1}, true).clamp_min(1e-12);
  }
};

}  // namespace

std::unique_ptr<Loss> make_attention_loss(ptq::StepWords& words) { return std::make_unique<Attention>(words); }

}  // namespace halftone::train
