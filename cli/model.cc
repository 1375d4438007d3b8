#include "cli/model.h"

#include "halftone/base/cpu.h"
#include "halftone/base/error.h"
#include "halftone/eval/inputs.h"
#include "halftone/graph/op_table.h"
#include "halftone/onnx/onnx.h"
#include "halftone/transform/fold_qdq.h"

namespace halftone::cli {
namespace {

int64_t file_size_of(const std::filesystem::path& path, const Graph& graph) {
  std::error_code none;
  auto size = static_cast<int64_t>(std::filesystem::file_size(path, none));
  // Constants that are larger than the file itself must lie beside it.
  int64_t constants = 0;
  for (ValueId id : graph.live_values()) {
    const auto& constant = graph.value(id).constant;
    if (constant) constants += static_cast<int64_t>(constant->bytes().size());
  }
  return std::max(size, constants > size ? size + constants : size);
}

}  // namespace

LoadedModel load_model(const std::filesystem::path& path) {
  Graph graph = onnx::import_model(path);
  verify(graph);
  infer_shapes(graph);
  LoadedModel loaded{path, {}, file_size_of(path, graph)};
  loaded.model = fold_qdq(std::move(graph));
  return loaded;
}

void DataOptions::add_to(CLI::App& app) {
  app.add_option("--data", path, "Folder of images, CIFAR, IDX, npy, npz or tar files, or synthetic:glyphs")
      ->required()
      ->type_name("PATH");
  app.add_option("--preprocess", preprocess, "How images become inputs (default: the model's own)")->type_name("FILE");
  app.add_option("--threads", threads, "Threads (default: all cores)")->type_name("N");
}

void DataOptions::add_limit_to(CLI::App& app) {
  app.add_option("--limit", limit, "Only the first N samples")->type_name("N");
}

int DataOptions::thread_count() const {
  if (threads < 0 || threads > 1024) {
    fail(ErrorCode::InvalidArgument, "--threads", "a number from 0 to 1024 is required, found {}", threads);
  }
  return threads == 0 ? available_cores() : threads;
}

std::optional<data::Preprocess> preprocess_of(const LoadedModel& model, const std::string& preprocess_file) {
  const auto& metadata = model.model.graph.metadata;
  const auto entry = metadata.find(kPreprocessKey);
  return data::find_preprocess(model.path, entry == metadata.end() ? "" : entry->second, preprocess_file);
}

std::unique_ptr<data::Loader> make_loader(const LoadedModel& model, const DataOptions& options, int64_t batch_size) {
  if (options.limit < 0) {
    fail(ErrorCode::InvalidArgument, options.path, "a number of samples >= 0 is required, found {}", options.limit);
  }
  auto dataset = data::open_dataset(options.path, {.limit = options.limit, .shuffle_seed = std::nullopt});
  const int threads = options.thread_count();
  return std::make_unique<data::Loader>(
      std::move(dataset), preprocess_of(model, options.preprocess), eval::input_ports(model.model.graph),
      data::LoaderOptions{.batch_size = batch_size, .threads = threads, .queue = 4 * threads});
}

void add_model_option(CLI::App& app, const std::string& name, std::string& target, const std::string& text) {
  app.add_option(name, target, text)->required()->type_name("FILE");
}

}  // namespace halftone::cli
