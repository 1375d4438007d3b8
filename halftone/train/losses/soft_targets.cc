#include "halftone/ptq/step.h"
#include "halftone/train/loss.h"

namespace halftone::train {
namespace {

// T^2 times the mean over the batch of KL(softmax(teacher / T) || softmax(student / T)); T^2 keeps the gradients' size
// when T changes.
class SoftTargets : public Loss {
 public:
  explicit SoftTargets(double temperature) : temperature_(temperature) {}
  at::Tensor of(const LossCall& call) override {
    const at::Tensor student = at::log_softmax(call.student.logits / temperature_, -1);
    const at::Tensor teacher = at::log_softmax(call.teacher->logits.detach() / temperature_, -1);
    return temperature_ * temperature_ * (teacher.exp() * (teacher - student)).sum(-1).mean();
  }

 private:
  double temperature_;
};

}  // namespace

std::unique_ptr<Loss> make_soft_targets_loss(ptq::StepWords& words) {
  return std::make_unique<SoftTargets>(words.number("temperature", 4, 1e-3, 1e3));
}

}  // namespace halftone::train
