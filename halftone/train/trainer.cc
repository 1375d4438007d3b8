#include "halftone/train/trainer.h"

#include <cmath>

#include "halftone/train/mixup.h"
#include "halftone/train/targets.h"
#include "halftone/train/tensors.h"

namespace halftone::train {
namespace {

double count_correct(const at::Tensor& logits, const at::Tensor& targets) {
  if (!targets.defined()) return 0;
  return static_cast<double>(logits.argmax(1).eq(targets.argmax(1)).sum().item<int64_t>());
}

}  // namespace

std::map<std::string, Tensor> copied(const State& state, const std::string& prefix) {
  std::map<std::string, Tensor> copies;
  for (const auto& [name, tensor] : state) copies[prefix + name] = from_torch(tensor.detach());
  return copies;
}

void restore(const State& state, const std::map<std::string, Tensor>& tensors, const std::string& prefix) {
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : state) {
    const auto found = tensors.find(prefix + name);
    if (found == tensors.end() || Shape(tensor.sizes().begin(), tensor.sizes().end()) != found->second.shape()) {
      fail(ErrorCode::InvalidData, name, "the checkpoint doesn't hold this tensor; train from the beginning");
    }
    at::Tensor(tensor).copy_(to_torch(found->second));
  }
}

void refuse_loss(const std::string& where, double loss, double rate) {
  fail(ErrorCode::NumericRange, where,
       "the loss is {} with a rate of {:.3g}: training diverged; lower \"rate\", or give \"clip\" or a schedule with "
       "\"warm_up\"; --resume goes on from the last checkpoint",
       loss, rate);
}

Trainer::Trainer(const TrainRecipe& recipe, Network& student, Network* teacher, int64_t batches_per_epoch)
    : recipe_(recipe),
      student_(student),
      teacher_(teacher),
      batches_per_epoch_(batches_per_epoch),
      schedule_(make_schedule(recipe.schedule)) {
  if (recipe.mixup) mixup_alpha_ = mixup_alpha(*recipe.mixup);
  for (const StepRequest& request : recipe.losses) {
    WeightedLoss each{request.name, weight_of(request), make_loss(request)};
    const LossInfo& info = find_loss(request.name);
    needs_labels_ |= info.needs_labels;
    needs_teacher_ |= info.needs_teacher;
    for (const auto& [of_student, of_teacher] : each.loss->features()) {
      student_.watch(of_student);
      teacher_->watch(of_teacher);
    }
    losses_.push_back(std::move(each));
  }
  // Words are read now, for mistakes in them.
  make_optimizer(recipe.optimizer, {});
}

Answers Trainer::teach(const std::vector<at::Tensor>& inputs) {
  if (!needs_teacher_) return {};
  const at::NoGradGuard no_grad;
  return teacher_->answers(inputs, Mode::Inference, BatchStatistics::Frozen);
}

at::Tensor Trainer::total(const Answers& student, const Answers& teacher, const at::Tensor& targets,
                          StepReport* report) {
  at::Tensor sum;
  for (const WeightedLoss& each : losses_) {
    const at::Tensor loss = each.loss->of(
        {student, needs_teacher_ ? &teacher : nullptr, targets, student_.weights(), student_.batch_norm_scales()});
    if (report != nullptr) report->losses.emplace_back(each.name, loss.item<double>());
    const at::Tensor weighted = loss * each.weight;
    sum = sum.defined() ? sum + weighted : weighted;
  }
  return sum;
}

void Trainer::try_out(const Samples& samples) {
  {
    const at::NoGradGuard no_grad;
    const Answers student = student_.answers(samples.inputs, Mode::Inference, BatchStatistics::Frozen);
    const at::Tensor targets = targets_of(samples.batch, student.logits.size(1));
    if (needs_labels_ && !targets.defined()) {
      fail(ErrorCode::InvalidData, samples.batch.ids.front(),
           "a loss needs labels, and the samples have none; distillation (soft_targets) does without");
    }
    const Answers teacher = teach(samples.inputs);
    if (needs_teacher_ && teacher.logits.sizes() != student.logits.sizes()) {
      fail(ErrorCode::InvalidArgument, "teacher", "{} classes are required, as the network has, found {}",
           student.logits.size(1), teacher.logits.size(1));
    }
    total(student, teacher, targets, nullptr);
  }
  // The first pass backward finds operators that have no gradient.
  student_.answers(samples.inputs, Mode::Inference, BatchStatistics::Frozen).logits.sum().backward();
  parameters_ = student_.parameters();
  for (size_t i = 0; i < losses_.size(); ++i) {
    for (const Learned& learned : losses_[i].loss->learned()) {
      parameters_.push_back(
          {fmt::format("loss {}: {}", i + 1, learned.name), learned.tensor, ParameterKind::Plain, learned.decay});
    }
  }
  for (Parameter& parameter : parameters_) parameter.tensor.mutable_grad() = at::Tensor();
  optimizer_ = make_optimizer(recipe_.optimizer, parameters_);
  if (recipe_.average) average_ = std::make_unique<Average>(*recipe_.average, state());
}

double Trainer::epoch_now() const {
  return static_cast<double>(position_.epoch) +
         static_cast<double>(position_.batch) / static_cast<double>(batches_per_epoch_);
}

double Trainer::rate_factor() const { return schedule_(epoch_now(), static_cast<double>(recipe_.epochs)); }

StepReport Trainer::step(const Samples& samples) {
  const double epoch = epoch_now(), factor = rate_factor();
  if (FakeQuantized* rounding = student_.rounding()) {
    rounding->advance(epoch / static_cast<double>(recipe_.epochs));
  }
  StepReport report;
  report.rate = factor * recipe_.rates.weights;
  Mixed mixed{samples.inputs.front(), targets_of(samples.batch, student_.classes()), 1};
  std::vector<at::Tensor> inputs = samples.inputs;
  if (mixup_alpha_ > 0) {
    mixed = mixup(mixed.inputs, mixed.targets, mixup_alpha_, recipe_.seed, static_cast<uint64_t>(position_.step));
    inputs.front() = mixed.inputs;
  }
  const bool frozen = recipe_.freeze_batch_norm && epoch >= *recipe_.freeze_batch_norm;
  const Answers teacher = teach(inputs);
  const Answers student =
      student_.answers(inputs, Mode::Training, frozen ? BatchStatistics::Frozen : BatchStatistics::Updated);
  const at::Tensor loss = total(student, teacher, mixed.targets, &report);
  report.loss = loss.item<double>();
  if (!std::isfinite(report.loss)) {
    refuse_loss(fmt::format("epoch {}, step {}", position_.epoch + 1, position_.batch + 1), report.loss, report.rate);
  }
  loss.backward();
  if (recipe_.clip) clip_gradients(parameters_, *recipe_.clip);
  const std::vector<at::Tensor> magnitudes = magnitudes_of(parameters_);
  optimizer_->step({factor * recipe_.rates.weights, factor * recipe_.rates.scales});
  hold_magnitudes(parameters_, magnitudes);
  if (FakeQuantized* rounding = student_.rounding()) rounding->project();
  if (average_ != nullptr) average_->update(state());

  const at::NoGradGuard no_grad;
  report.samples = static_cast<double>(samples.count());
  report.correct = count_correct(student.logits, mixed.targets);
  position_.loss += report.loss * report.samples;
  position_.correct += report.correct;
  position_.samples += report.samples;
  ++position_.batch;
  ++position_.step;
  return report;
}

void Trainer::end_epoch() { position_ = {position_.epoch + 1, 0, position_.step, 0, 0, 0}; }

State Trainer::state() {
  State state = student_.state();
  for (const Parameter& parameter : parameters_) state[parameter.name] = parameter.tensor;
  return state;
}

void Trainer::swap_average() {
  if (average_ != nullptr) average_->swap(state());
}

void Trainer::save(Checkpoint& checkpoint) {
  checkpoint.tensors.merge(copied(state(), "now/"));
  checkpoint.tensors.merge(copied(optimizer_->state(), "optimizer/"));
  if (average_ != nullptr) {
    checkpoint.tensors.merge(copied(average_->tensors(), "average/"));
    checkpoint.numbers["average steps"] = static_cast<double>(average_->steps());
  }
  checkpoint.numbers["epoch"] = static_cast<double>(position_.epoch);
  checkpoint.numbers["batch"] = static_cast<double>(position_.batch);
  checkpoint.numbers["step"] = static_cast<double>(position_.step);
  checkpoint.numbers["loss"] = position_.loss;
  checkpoint.numbers["correct"] = position_.correct;
  checkpoint.numbers["samples"] = position_.samples;
}

void Trainer::restore(const Checkpoint& checkpoint) {
  train::restore(state(), checkpoint.tensors, "now/");
  std::map<std::string, at::Tensor> memory;
  const std::string prefix = "optimizer/";
  for (const auto& [name, tensor] : checkpoint.tensors) {
    if (name.starts_with(prefix)) memory[name.substr(prefix.size())] = to_torch(tensor);
  }
  optimizer_->restore(memory);
  const auto number = [&](const char* name) { return checkpoint.numbers.at(name); };
  if (average_ != nullptr) {
    train::restore(average_->tensors(), checkpoint.tensors, "average/");
    average_->set_steps(static_cast<int64_t>(number("average steps")));
  }
  position_ = {static_cast<int64_t>(number("epoch")),
               static_cast<int64_t>(number("batch")),
               static_cast<int64_t>(number("step")),
               number("loss"),
               number("correct"),
               number("samples")};
}

}  // namespace halftone::train
