// Losses of the parameters alone.
#include <cmath>

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

// The sum over slices of the first axis of sqrt(elements) times their length, whose gradient is that of the direction,
// and 0 where all are 0.
at::Tensor group_lengths(const at::Tensor& tensor) {
  const at::Tensor groups = tensor.flatten(1);
  return groups.norm(2, {1}).sum() * std::sqrt(static_cast<double>(groups.size(1)));
}

}  // namespace

std::unique_ptr<Loss> make_l1_loss(ptq::StepWords&) {
  return std::make_unique<Penalty>([](const LossCall& call) { return summed(call.weights, magnitude); });
}

std::unique_ptr<Loss> make_l2_loss(ptq::StepWords&) {
  return std::make_unique<Penalty>([](const LossCall& call) {
    return 0.5 * summed(call.weights, [](const at::Tensor& tensor) { return tensor.pow(2).sum(); });
  });
}

std::unique_ptr<Loss> make_group_lasso_loss(ptq::StepWords&) {
  return std::make_unique<Penalty>([](const LossCall& call) {
    return summed(call.weights, [](const at::Tensor& tensor) {
      return tensor.dim() < 2 ? magnitude(tensor) : group_lengths(tensor);
    });
  });
}

std::unique_ptr<Loss> make_batch_norm_scales_loss(ptq::StepWords&) {
  return std::make_unique<Penalty>([](const LossCall& call) { return summed(call.batch_norm_scales, magnitude); });
}

}  // namespace halftone::train
