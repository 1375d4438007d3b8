#include "cli/model.h"

#include "halftone/base/cpu.h"
#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/eval/inputs.h"

namespace halftone::cli {
void DataOptions::add_to(CLI::App& app, bool required) {
  app.add_option("--data", path, "Folder of images, CIFAR, IDX, npy, npz or tar files, or synthetic:glyphs")
      ->required(required)
      ->type_name("PATH");
  app.add_option("--preprocess", preprocess, "How images become inputs (default: the model's own)")->type_name("FILE");
  const char* usual = threads == 0 ? "Threads (default: all cores)" : "Threads (default 1; 0: all cores)";
  app.add_option("--threads", threads, usual)->type_name("N");
}

void DataOptions::add_limit_to(CLI::App& app) {
  app.add_option("--limit", limit, "Only the first N samples")->type_name("N");
}

int thread_count(int threads) {
  if (threads < 0 || threads > 1024) {
    fail(ErrorCode::InvalidArgument, "--threads", "a number from 0 to 1024 is required, found {}", threads);
  }
  return threads == 0 ? available_cores() : threads;
}

void EngineOptions::add_to(CLI::App& app) {
  app.add_option("--engine", engine, "auto (fast), or reference (the normative arithmetic, slow)")->type_name("NAME");
  add_requantize_to(app);
}

void EngineOptions::add_requantize_to(CLI::App& app) {
  app.add_option("--requantize", requantize,
                 "How integer sums become codes: float (default), or dyadic (integers alone)")
      ->type_name("MODE");
}

std::optional<data::Preprocess> preprocess_of(const LoadedModel& model, const std::string& preprocess_file) {
  const auto& metadata = model.model.graph.metadata;
  const auto entry = metadata.find(kPreprocessKey);
  return data::find_preprocess(model.path, entry == metadata.end() ? "" : entry->second, preprocess_file);
}

std::unique_ptr<data::Dataset> open_samples(const DataOptions& options) {
  if (options.limit < 0) {
    fail(ErrorCode::InvalidArgument, options.path, "a number of samples >= 0 is required, found {}", options.limit);
  }
  data::DatasetOptions part{.limit = options.limit, .shuffle_seed = std::nullopt, .skip = options.skip};
  if (options.shuffled) part.shuffle_seed = 0;
  return data::open_dataset(options.path, part);
}

std::unique_ptr<data::Loader> make_loader(const LoadedModel& model, const DataOptions& options, int64_t batch_size) {
  auto dataset = open_samples(options);
  const int threads = options.thread_count();
  return std::make_unique<data::Loader>(
      std::move(dataset), preprocess_of(model, options.preprocess), eval::input_ports(model.model.graph),
      data::LoaderOptions{.batch_size = batch_size, .threads = threads, .queue = 4 * threads});
}

void refuse_overwriting(const std::string& input, const std::string& output) {
  if (!same_file(input, output)) return;
  fail(ErrorCode::InvalidArgument, output, "another file than the model is required, found {} itself; name a new file",
       input);
}

void add_model_option(CLI::App& app, const std::string& name, std::string& target, const std::string& text) {
  app.add_option(name, target, text)->required()->type_name("FILE");
}

}  // namespace halftone::cli
