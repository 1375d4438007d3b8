#include "halftone/ptq/step.h"
#include "halftone/train/loss.h"

namespace halftone::train {
namespace {

// Mean over the batch of -sum over classes of t log softmax(logits), t = (1 - e) targets + e / classes.
class CrossEntropy : public Loss {
 public:
  explicit CrossEntropy(double smoothing) : smoothing_(smoothing) {}
  at::Tensor of(const LossCall& call) override {
    return at::cross_entropy_loss(call.student.logits, call.targets, {}, 1 /* mean */, -100, smoothing_);
  }

 private:
  double smoothing_;
};

}  // namespace

std::unique_ptr<Loss> make_cross_entropy_loss(ptq::StepWords& words) {
  return std::make_unique<CrossEntropy>(words.number("smoothing", 0, 0, 1));
}

}  // namespace halftone::train
