#include "halftone/train/train.h"

#include <ATen/Parallel.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "halftone/base/cpu.h"
#include "halftone/eval/inputs.h"
#include "halftone/onnx/onnx.h"
#include "halftone/ptq/quantize.h"
#include "halftone/runtime/archive.h"
#include "halftone/train/judge.h"
#include "halftone/train/run_log.h"
#include "halftone/train/trainer.h"
#include "halftone/transform/separate_sums.h"

namespace halftone::train {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

// Lines of the log per epoch, at most.
constexpr int64_t kLinesPerEpoch = 50;
// A network may have thousands of quantizers.
constexpr size_t kScalesInLog = 200;

std::string hash_of(const Graph& graph) {
  const std::string file = onnx::serialize_model(graph);
  return fmt::format("{:016x}", runtime::checksum_of(std::as_bytes(std::span(file))));
}

// What a checkpoint must be of, to be gone on with. Rates, schedule and length may change on the way.
std::map<std::string, std::string> run_of(const Graph& network, const Graph* teacher, const TrainOptions& options,
                                          int64_t samples) {
  nlohmann::json recipe = nlohmann::json::parse(options.recipe.text);
  for (const char* word : {"rate", "scale_rate", "schedule", "clip", "epochs", "freeze_batch_norm"}) recipe.erase(word);
  return {{"network", hash_of(network)},
          {"teacher", teacher == nullptr ? "none" : hash_of(*teacher)},
          {"training set", fmt::format("{} of {} samples", options.training, samples)},
          {"recipe", recipe.dump()},
          {"seed", std::to_string(options.recipe.seed)}};
}

TrainRecipe with_defaults(TrainRecipe recipe, bool teacher) {
  if (recipe.losses.empty()) recipe.losses = {{teacher ? "soft_targets" : "cross_entropy", {}}};
  return recipe;
}

class Training {
 public:
  Training(const Graph& network, const Graph* teacher, const TrainOptions& options)
      : options_(with_threads(options)),
        recipe_(with_defaults(options.recipe, teacher != nullptr)),
        samples_(data::count_items(*data::open_dataset(options.training))),
        run_(run_of(network, teacher, options, samples_)),
        student_(recipe_.quantization ? transform::separate_sums(trainable(network), *recipe_.quantization)
                                      : trainable(network)),
        teacher_(trainable(teacher == nullptr ? network : *teacher)),
        trainer_(recipe_, student_, &teacher_, batches_per_epoch()) {
    check_checkpoint();
    if (recipe_.quantization) quantize(network);
  }

  TrainResult run() {
    trainer_.try_out(first_samples());
    judge_.emplace(options_, student_, teacher_);
    result_.by_labels = judge_->by_labels();
    result_.validation_samples = judge_->samples();
    if (options_.resume) {
      go_on();
    } else {
      log_.emplace(options_.log);
      log_start();
      judge_epoch();
    }
    saved_ = Clock::now();
    while (trainer_.position().epoch < recipe_.epochs) {
      if (!train_epoch()) {
        if (!options_.checkpoint.empty()) save(captured(), options_.checkpoint);
        result_.stopped = true;
        return std::move(result_);
      }
    }
    finish();
    return std::move(result_);
  }

 private:
  static TrainOptions with_threads(TrainOptions options) {
    if (options.threads <= 0) options.threads = available_cores();
    at::set_num_threads(options.threads);
    return options;
  }

  // A last batch that is not full would count for more than its samples should; those in it come earlier next time.
  int64_t batches_per_epoch() const { return std::max<int64_t>(1, samples_ / recipe_.batch); }

  double seconds() const { return seconds_before_ + std::chrono::duration<double>(Clock::now() - start_).count(); }

  void check_checkpoint() const {
    if (options_.checkpoint.empty()) return;
    const bool there = std::filesystem::exists(options_.checkpoint);
    if (there && !options_.resume) {
      fail(ErrorCode::InvalidArgument, options_.checkpoint.string(),
           "an unfinished training is kept there; go on with --resume, or remove the file");
    }
    if (!there && options_.resume) {
      fail(ErrorCode::Io, options_.checkpoint.string(), "there is no checkpoint to go on from; train without --resume");
    }
  }

  void quantize(const Graph& network) {
    const auto open = [this] {
      auto dataset = data::open_dataset(options_.training,
                                        {.limit = recipe_.calibration_images, .shuffle_seed = recipe_.seed, .skip = 0});
      return std::make_unique<data::Loader>(
          std::move(dataset), options_.preprocess, eval::input_ports(student_.graph()),
          data::LoaderOptions{.batch_size = 1, .threads = options_.threads, .queue = 4 * options_.threads});
    };
    ptq::Samples calibration(open);
    Quantization made =
        ptq::quantize(network, &calibration,
                      {.recipe = *recipe_.quantization, .threads = options_.threads, .progress = options_.progress});
    const QuantPlan plan = plan_quantization(made.reference, *recipe_.quantization);
    student_.quantize(std::move(made.model), plan, recipe_.quantizers, recipe_.seed);
  }

  Samples first_samples() {
    SampleStream stream(open_epoch(options_, 0, 0), options_, eval::input_ports(student_.graph()),
                        std::min<int64_t>(recipe_.batch, 2));
    std::optional<Samples> samples = stream.next();
    if (!samples) fail(ErrorCode::InvalidData, options_.training, "at least one sample is required, found none");
    return std::move(*samples);
  }

  void go_on() {
    const Checkpoint checkpoint = load_checkpoint(options_.checkpoint);
    require_same(checkpoint.of, run_, options_.checkpoint);
    trainer_.restore(checkpoint);
    const auto number = [&](const char* name) { return checkpoint.numbers.at(name); };
    seconds_before_ = number("seconds");
    result_.start_accuracy = number("start accuracy");
    result_.best_epoch = static_cast<int64_t>(number("best epoch"));
    result_.accuracy = number("best accuracy");
    for (const auto& [name, tensor] : checkpoint.tensors) {
      if (name.starts_with("best/")) best_[name] = tensor;
    }
    log_.emplace(options_.log, static_cast<int64_t>(number("log")));
    log({{"event", "resume"}, {"epoch", trainer_.position().epoch}, {"step", trainer_.position().batch}});
  }

  Checkpoint captured() {
    Checkpoint checkpoint{run_, {}, best_};
    trainer_.save(checkpoint);
    checkpoint.numbers["seconds"] = seconds();
    checkpoint.numbers["start accuracy"] = result_.start_accuracy;
    checkpoint.numbers["best epoch"] = static_cast<double>(result_.best_epoch);
    checkpoint.numbers["best accuracy"] = result_.accuracy;
    checkpoint.numbers["log"] = static_cast<double>(log_->size());
    saved_ = Clock::now();
    return checkpoint;
  }

  // A state is written once a loss was computed from it: what a step has ruined shows in the next one only, and must
  // not take the place of the last good checkpoint. One that can't be written is no reason to throw the training away.
  void write_pending() {
    if (!pending_ || options_.checkpoint.empty()) return;
    try {
      save(*pending_, options_.checkpoint);
    } catch (const Error& error) {
      options_.progress->note(fmt::format("warning: no checkpoint: {}", error.what()));
    }
    pending_.reset();
  }

  // False: stopped on the way.
  bool train_epoch() {
    const Position begun = trainer_.position();
    SampleStream stream(open_epoch(options_, begun.epoch, begun.batch * recipe_.batch), options_,
                        eval::input_ports(student_.graph()), recipe_.batch);
    const int64_t batches = batches_per_epoch();
    options_.progress->begin(fmt::format("epoch {}/{}", begun.epoch + 1, recipe_.epochs),
                             std::min(batches * recipe_.batch, samples_) - begun.batch * recipe_.batch, "images");
    const auto start = Clock::now();
    while (trainer_.position().batch < batches) {
      if (options_.stop != nullptr && *options_.stop) {
        options_.progress->end();
        return false;
      }
      const std::optional<Samples> samples = stream.next();
      if (!samples) {
        fail(ErrorCode::InvalidData, options_.training, "the set has become smaller while it was read");
      }
      const StepReport step = trainer_.step(*samples);
      write_pending();
      const double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
      show(step, trainer_.position().samples - begun.samples, elapsed);
      if (Clock::now() - saved_ >= options_.checkpoint_interval) pending_ = captured();
    }
    options_.progress->end();
    judge_epoch();
    pending_ = captured();
    write_pending();
    return true;
  }

  // A line that can't be written is no reason to throw the training away, either.
  void log(const Json& event) {
    try {
      log_->write(event);
    } catch (const Error& error) {
      if (!std::exchange(log_failed_, true)) {
        options_.progress->note(fmt::format("warning: the log has gaps: {}", error.what()));
      }
    }
  }

  void show(const StepReport& step, double samples, double elapsed) {
    const Position& now = trainer_.position();
    options_.progress->status(
        fmt::format("loss {:.3f}, {:.1f} % right", now.loss / now.samples, 100 * now.correct / now.samples));
    options_.progress->advance(static_cast<int64_t>(samples));
    const int64_t every = std::max<int64_t>(1, batches_per_epoch() / kLinesPerEpoch);
    if (now.batch % every != 0) return;
    Json losses = Json::object();
    for (const auto& [name, loss] : step.losses) losses[name] = loss;
    log({{"event", "step"},
         {"epoch", now.epoch},
         {"step", now.step},
         {"loss", step.loss},
         {"losses", losses},
         {"accuracy", step.correct / step.samples},
         {"rate", step.rate},
         {"images_per_second", samples / elapsed},
         {"seconds", seconds()}});
  }

  Json scales() {
    Json all = Json::object();
    if (student_.rounding() == nullptr) return all;
    for (const auto& [name, quantizer] : student_.rounding()->quantizers()) {
      const std::vector<float> scale = quantizer->params().scale;
      double sum = 0;
      for (float each : scale) sum += each;
      if (all.size() < kScalesInLog && !scale.empty()) all[name] = sum / static_cast<double>(scale.size());
    }
    return all;
  }

  // Measures the network as it is after an epoch (or before the first), and keeps it where it is the best.
  void judge_epoch() {
    const Position epoch = trainer_.position();
    const bool trained = epoch.batch > 0;
    const double rate = trainer_.rate_factor() * recipe_.rates.weights;
    trainer_.swap_average();
    const Verdict verdict = judge_->judge(student_);
    if (trained && !std::isfinite(verdict.loss))
      refuse_loss(fmt::format("validation after epoch {}", epoch.epoch + 1), verdict.loss, rate);
    const bool best = best_.empty() || verdict.accuracy > result_.accuracy;
    if (best) {
      best_ = copied(trainer_.state(), "best/");
      result_.accuracy = verdict.accuracy;
      result_.best_epoch = epoch.epoch + (trained ? 1 : 0);
    }
    trainer_.swap_average();
    Json line = {{"event", "epoch"}, {"epoch", epoch.epoch + (trained ? 1 : 0)}};
    if (trained) {
      line["train_loss"] = epoch.loss / epoch.samples;
      line["train_accuracy"] = epoch.correct / epoch.samples;
      trainer_.end_epoch();
    } else {
      result_.start_accuracy = verdict.accuracy;
    }
    line.update({{"validation_loss", verdict.loss},
                 {"validation_accuracy", verdict.accuracy},
                 {"rate", rate},
                 {"seconds", seconds()},
                 {"best", best},
                 {"scales", scales()}});
    log(line);
    options_.progress->note(trained ? fmt::format("epoch {}: loss {:.4f}, {:.2f} % right; validation {:.2f} %{}",
                                                  epoch.epoch + 1, epoch.loss / epoch.samples,
                                                  100 * epoch.correct / epoch.samples, 100 * verdict.accuracy,
                                                  best ? ", the best so far" : "")
                                    : fmt::format("before training: validation {:.2f} %", 100 * verdict.accuracy));
  }

  void log_start() {
    int64_t parameters = 0;
    for (const Parameter& parameter : student_.parameters()) parameters += parameter.tensor.numel();
    log({{"event", "start"},
         {"model", student_.graph().name},
         {"images", samples_},
         {"validation_images", judge_->samples()},
         {"parameters", parameters},
         {"epochs", recipe_.epochs},
         {"batch", recipe_.batch},
         {"seed", recipe_.seed},
         {"recipe", Json::parse(recipe_.text)}});
  }

  void finish() {
    restore(trainer_.state(), best_, "best/");
    result_.model = student_.finished();
    result_.engine_agreement = judge_->engine_agreement(student_, result_.model);
    result_.seconds = seconds();
    log({{"event", "end"},
         {"best_epoch", result_.best_epoch},
         {"validation_accuracy", result_.accuracy},
         {"agreement_with_engine", result_.engine_agreement},
         {"seconds", result_.seconds}});
  }

  const TrainOptions options_;
  const TrainRecipe recipe_;
  const int64_t samples_;
  const std::map<std::string, std::string> run_;
  Network student_, teacher_;
  Trainer trainer_;
  std::optional<Judge> judge_;
  std::optional<RunLog> log_;
  bool log_failed_ = false;
  std::optional<Checkpoint> pending_;
  std::map<std::string, Tensor> best_;
  TrainResult result_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point saved_;
  double seconds_before_ = 0;
};

}  // namespace

TrainResult train(const Graph& network, const Graph* teacher, const TrainOptions& options) {
  try {
    return Training(network, teacher, options).run();
  } catch (const c10::Error& error) {
    fail(ErrorCode::InvalidModel, network.name, "{}", error.what_without_backtrace());
  }
}

}  // namespace halftone::train
