// Epochs, steps, and where they stand.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "halftone/train/average.h"
#include "halftone/train/checkpoint.h"
#include "halftone/train/network.h"
#include "halftone/train/optimizer.h"
#include "halftone/train/samples.h"
#include "halftone/train/schedule.h"
#include "halftone/train/train.h"

namespace halftone::train {

// Where a training stands between two steps.
struct Position {
  int64_t epoch = 0, batch = 0;               // epochs that are done, and batches of the one that isn't
  int64_t step = 0;                           // batches in all
  double loss = 0, correct = 0, samples = 0;  // sums over the epoch
};

// What a step came to.
struct StepReport {
  double loss = 0;
  std::vector<std::pair<std::string, double>> losses;  // each by its name, before weights
  double correct = 0, samples = 0;
  double rate = 0;
};

// Moves a network by batches of samples. Knows nothing of validation, files or time.
class Trainer {
 public:
  // Errors: those of make_loss, make_optimizer and make_schedule; Error{InvalidArgument} for losses that look at values
  // that aren't there.
  Trainer(const TrainRecipe& recipe, Network& student, Network* teacher, int64_t batches_per_epoch);

  // Computes all losses of these samples and changes nothing, so that what can't be is known before the work; makes the
  // losses' own parameters. Errors: those of the losses and operators; Error{InvalidData} for labels that are missing
  // where a loss needs them; Error{InvalidArgument} for a teacher with other classes.
  void try_out(const Samples& samples);

  // Errors: Error{NumericRange} when the loss is no number.
  StepReport step(const Samples& samples);
  void end_epoch();

  const Position& position() const { return position_; }
  // All that changes, but for the optimizer's memory and the average.
  State state();
  // Exchanges the network's state and its average, where the recipe has one; twice is as never.
  void swap_average();
  double rate_factor() const;

  void save(Checkpoint& checkpoint);
  // Errors: Error{InvalidData} for tensors of another network.
  void restore(const Checkpoint& checkpoint);

 private:
  struct WeightedLoss {
    std::string name;
    double weight;
    std::unique_ptr<Loss> loss;
  };

  double epoch_now() const;
  Answers teach(const std::vector<at::Tensor>& inputs);
  at::Tensor total(const Answers& student, const Answers& teacher, const at::Tensor& targets, StepReport* report);

  const TrainRecipe& recipe_;
  Network& student_;
  Network* teacher_;
  int64_t batches_per_epoch_;
  Schedule schedule_;
  std::vector<WeightedLoss> losses_;
  double mixup_alpha_ = 0;  // 0: no mixup
  bool needs_teacher_ = false, needs_labels_ = false;
  std::vector<Parameter> parameters_;  // the student's and the losses'
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<Average> average_;
  Position position_;
};

// What is said when a loss is no number: Error{NumericRange}.
[[noreturn]] void refuse_loss(const std::string& where, double loss, double rate);

// Copies of all tensors, and back. Errors of the second: Error{InvalidData} naming a tensor that is missing or of
// another size.
std::map<std::string, Tensor> copied(const State& state, const std::string& prefix);
void restore(const State& state, const std::map<std::string, Tensor>& tensors, const std::string& prefix);

}  // namespace halftone::train
