// Of the program that sees libtorch.

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <nlohmann/json.hpp>

#include "cli/table.h"
#include "cli/training_options.h"
#include "halftone/base/error.h"
#include "halftone/base/process.h"
#include "halftone/onnx/onnx.h"
#include "halftone/train/train.h"
#include "halftone/transform/insert_qdq.h"
#include "halftone/transform/pass.h"

namespace halftone::cli {
namespace {

constexpr int kInterrupted = 130;
constexpr int64_t kDistillEpochs = 10;

std::atomic<bool> stop_wanted = false;

// The first Ctrl-C ends the training after the step that is being made; the second one ends the process.
void stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop_wanted = true; };
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

train::TrainRecipe recipe_of(const TrainingOptions& options) {
  train::TrainRecipe recipe;
  recipe.epochs = kDistillEpochs;
  if (!options.recipe.empty()) recipe = train::TrainRecipe::from_json(read_file(options.recipe), options.recipe);
  if (options.epochs && *options.epochs < 1) {
    fail(ErrorCode::InvalidArgument, "--epochs", "at least 1 is required, found {}", *options.epochs);
  }
  if (options.seed && *options.seed < 0) {
    fail(ErrorCode::InvalidArgument, "--seed", "a number from 0 on is required, found {}", *options.seed);
  }
  if (options.epochs) recipe.epochs = *options.epochs;
  if (options.seed) recipe.seed = static_cast<uint64_t>(*options.seed);
  return recipe;
}

LoadedModel load_float(const std::string& path) {
  LoadedModel model = load_model(path);
  if (model.model.quantized()) {
    fail(ErrorCode::InvalidModel, path, "a float model is required, found {} quantized tensors",
         model.model.encodings.size() + model.model.dynamic.size());
  }
  return model;
}

// A teacher gets the very inputs that the student gets. A student that doesn't say how images become inputs, as one
// that was just made, is told by its teacher.
void agree_on_inputs(LoadedModel& student, const LoadedModel& teacher, const std::string& preprocess_file) {
  const auto own = preprocess_of(student, preprocess_file), taught = preprocess_of(teacher, "");
  if (own && taught && *own != *taught) {
    fail(ErrorCode::InvalidArgument, teacher.path.string(),
         "a teacher that takes the same inputs is required; its images are prepared in another way than the model's");
  }
  if (!own && taught) student.model.graph.metadata[kPreprocessKey] = taught->to_json();
}

// What `report` would say of both files, with the curves of the run.
void report_on(const LoadedModel& before, QuantizedModel after, const TrainingOptions& options, AtomicFile& page,
               Console& console) {
  report::Source source;
  source.before_name = before.path.filename().string();
  source.after_name = std::filesystem::path(options.output).filename().string();
  source.before_bytes = before.size_bytes;
  source.after_bytes = static_cast<int64_t>(std::filesystem::file_size(options.output));
  source.original = before.model.graph;
  source.reference = transform::simplify(before.model.graph);
  source.model = std::move(after);
  source.training = report::read_training(options.log_file());
  DataOptions data = options.data;
  data.path = options.validation;
  write_report(std::move(source), before, data, options.report, page, console);
  console.print(fmt::format("{}\n", options.report.output));
}

void write_model(const QuantizedModel& model, const std::optional<data::Preprocess>& preprocess, AtomicFile& out) {
  Graph graph = model.quantized() ? insert_qdq(model) : model.graph;
  if (preprocess) graph.metadata[kPreprocessKey] = preprocess->to_json();
  out.write(onnx::serialize_model(graph));
  out.commit();
}

}  // namespace

void run_training(const TrainingOptions& options, Console& console) {
  if (!options.report.output.empty()) check_report_name(options.report.output);
  const std::string outputs[] = {options.output, options.report.output, options.log_file(), options.checkpoint()};
  for (const std::string& input : {options.model, options.teacher, options.recipe}) {
    for (const std::string& output : outputs) {
      if (!input.empty() && !output.empty()) refuse_overwriting(input, output);
    }
  }
  AtomicFile out(options.output);
  std::optional<AtomicFile> page;
  if (!options.report.output.empty()) page.emplace(options.report.output);
  if (!(options.checkpoint_minutes > 0 && options.checkpoint_minutes < 1e6)) {
    fail(ErrorCode::InvalidArgument, "--checkpoint-minutes", "a number above 0 is required, found {}",
         options.checkpoint_minutes);
  }
  LoadedModel model = load_float(options.model);
  std::optional<LoadedModel> teacher;
  train::TrainOptions how;
  if (!options.teacher.empty()) {
    teacher = load_model(options.teacher);
    agree_on_inputs(model, *teacher, options.data.preprocess);
  }
  how.preprocess = preprocess_of(model, options.data.preprocess);
  how.recipe = recipe_of(options);
  how.training = options.data.path;
  how.validation = options.validation;
  how.threads = options.data.thread_count();
  how.progress = &console.progress();
  how.checkpoint = options.checkpoint();
  how.checkpoint_interval = std::chrono::seconds(static_cast<int64_t>(60 * options.checkpoint_minutes));
  how.log = options.log_file();
  how.resume = options.resume;
  how.stop = &stop_wanted;
  stop_on_signals();
  const train::TrainResult result = train::train(model.model.graph, teacher ? &teacher->model.graph : nullptr, how);
  if (result.stopped) {
    console.warn(
        fmt::format("stopped; {} holds the training, go on with the same command and --resume", options.checkpoint()));
    console.set_exit_code(kInterrupted);
    return;
  }
  write_model(result.model, how.preprocess, out);
  std::error_code ignored;
  std::filesystem::remove(options.checkpoint(), ignored);

  const char* measure = result.by_labels ? "top-1" : "agreement with the teacher";
  console.print(fmt::format("{}: {} {} on {} samples after epoch {} ({} before training)\n", options.output, measure,
                            format_percent(result.accuracy), result.validation_samples, result.best_epoch,
                            format_percent(result.start_accuracy)));
  console.print(fmt::format("the engine answers as the trainer did on {} of them; {:.1f} s\n",
                            format_percent(result.engine_agreement), result.seconds));
  if (page) report_on(model, result.model, options, *page, console);
  console.write_json({{"output", options.output},
                      {"measure", result.by_labels ? "top1" : "agreement"},
                      {"start_accuracy", result.start_accuracy},
                      {"accuracy", result.accuracy},
                      {"best_epoch", result.best_epoch},
                      {"validation_samples", result.validation_samples},
                      {"engine_agreement", result.engine_agreement},
                      {"seconds", result.seconds},
                      {"peak_rss_mib", peak_rss_mib()}});
}

}  // namespace halftone::cli
