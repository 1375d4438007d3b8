// What training minimizes: a weighted sum of losses, each of which looks at the student's answers, the labels, the
// teacher's answers, or the parameters themselves.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "halftone/quant/step_request.h"
#include "halftone/train/quantizer.h"
#include "halftone/train/torch.h"

namespace halftone::train {

using NamedTensors = std::map<std::string, at::Tensor, std::less<>>;

// What a network made of a batch.
struct Answers {
  at::Tensor logits;      // [batch, classes]
  NamedTensors features;  // by value name: those that some loss asks for
};

struct LossCall {
  const Answers& student;
  const Answers* teacher;                 // nullptr: none
  at::Tensor targets;                     // [batch, classes], rows of sum 1 (targets.h); undefined: none
  const NamedTensors& weights;            // of products, by name
  const NamedTensors& batch_norm_scales;  // gammas, by name
};

class Loss {
 public:
  virtual ~Loss() = default;
  // A number that grows with the error, of gradients.
  virtual at::Tensor of(const LossCall& call) = 0;
  // The values that it looks at, of the student and of the teacher.
  virtual std::vector<std::pair<std::string, std::string>> features() const { return {}; }
  // Its own tensors (adapters), there after the first call.
  virtual std::vector<Learned> learned() { return {}; }
};

struct LossInfo {
  std::string_view name;
  bool needs_labels, needs_teacher;
  std::string_view summary, source;
};
// The lines of losses.def.
std::span<const LossInfo> all_losses();
// Errors: Error{InvalidArgument} for an unknown name, with the nearest known one.
const LossInfo& find_loss(std::string_view name);

// Errors: those of find_loss; Error{InvalidArgument} for unknown words, with the nearest known one. Every loss has the
// word "weight", which is the caller's (weight_of).
std::unique_ptr<Loss> make_loss(const StepRequest& request);

// What the loss counts in the sum: its word "weight", 1 unless given.
double weight_of(const StepRequest& request);

}  // namespace halftone::train
