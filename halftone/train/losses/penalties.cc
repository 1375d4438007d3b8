// Losses of the parameters alone.
#include "halftone/ptq/step.h"
#include "halftone/train/loss.h"

namespace halftone::train {
namespace {

class Penalty : public Loss {
 public:
  using Of = at::Tensor (*)(const LossCall&);
  explicit Penalty(Of function) : of_(function) {}
  at::Tensor of(const LossCall& call) override { return of_(call); }

 private:
  Of of_;
};

template <typename F>
at::Tensor summed(const NamedTensors& tensors, F function) {
  at::Tensor sum = at::zeros({});
  for (const auto& [name, tensor] : tensors) sum = sum + function(tensor);
  return sum;
}

at::Tensor magnitude(const at::Tensor& tensor) { return tensor.abs().sum(); }

}  // namespace

std::unique_ptr<Loss> make_l1_loss(ptq::StepWords&) {
  return std::make_unique<Penalty>([](const LossCall& call) { return summed(call.weights, magnitude); });
}

std::unique_ptr<Loss> make_l2_loss(ptq::StepWords&) {
  return std::make_unique<Penalty>([](const LossCall& call) {
    return 0.5 * summed(call.weights, [](const at::Tensor& tensor) { return tensor.pow(2).sum(); });
  });
}

std::unique_ptr<Loss> make_batch_norm_scales_loss(ptq::StepWords&) {
  return std::make_unique<Penalty>([](const LossCall& call) { return summed(call.batch_norm_scales, magnitude); });
}

}  // namespace halftone::train
