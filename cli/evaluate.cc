#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/model.h"
#include "cli/table.h"
#include "halftone/base/process.h"
#include "halftone/eval/accuracy.h"

namespace halftone::cli {
namespace {

struct EvaluateArguments {
  std::string model;
  EngineOptions engine;
  DataOptions data;
};

void evaluate_model(const EvaluateArguments& options, Console& console) {
  const eval::EngineKind kind = options.engine.kind();
  const RequantizeMode mode = options.engine.mode();
  LoadedModel loaded = load_model(options.model);
  const std::string output = eval::score_output(loaded.model.graph);
  const auto loader = make_loader(loaded, options.data);
  const auto engine = eval::make_engine(kind, std::move(loaded.model), mode);
  ThreadTeam team(options.data.thread_count());
  const eval::Accuracy accuracy = eval::evaluate(*engine, output, *loader, team, console.progress());

  console.print(fmt::format("{}: {} images, top-1 {}, top-5 {}, {:.1f} images/s\n", options.model, accuracy.images,
                            format_percent(accuracy.top1), format_percent(accuracy.top5), accuracy.images_per_second));
  console.write_json({{"images", accuracy.images},
                      {"top1", accuracy.top1},
                      {"top5", accuracy.top5},
                      {"images_per_second", accuracy.images_per_second},
                      {"peak_rss_mib", peak_rss_mib()}});
}

}  // namespace

Action setup_evaluate(CLI::App& app) {
  auto options = std::make_shared<EvaluateArguments>();
  add_model_option(app, "MODEL", options->model, "Model to evaluate, float or quantized");
  options->data.add_to(app);
  options->data.add_limit_to(app);
  options->engine.add_to(app);
  app.footer(
      "Examples:\n"
      "  halftone evaluate model.onnx --data photos\n"
      "  halftone evaluate model.int8.onnx --data photos --engine reference --limit 100 --json result.json\n"
      "photos holds labels.csv (file,label) and images, or one folder of images per class.");
  return [options](Console& console) { evaluate_model(*options, console); };
}

}  // namespace halftone::cli
