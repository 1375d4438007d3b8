#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/model.h"
#include "cli/model_pair.h"
#include "cli/table.h"
#include "halftone/eval/compare.h"

namespace halftone::cli {
namespace {

struct CompareArguments {
  std::string reference, model;
  EngineOptions engine;
  DataOptions data;
};

const std::string& first_output(const LoadedModel& loaded) {
  const Graph& graph = loaded.model.graph;
  return graph.value(graph.outputs().front()).name;
}

void compare_models(const CompareArguments& options, Console& console) {
  const eval::EngineKind kind = options.engine.kind();
  const RequantizeMode mode = options.engine.mode();
  const auto [reference, model] = load_pair(options.reference, options.model);
  const auto layers = eval::common_layers(reference.model, model.model);
  std::vector<std::string> taps;
  for (const auto& layer : layers) taps.push_back(layer.name);

  const auto loader = make_loader(reference, options.data);
  const auto reference_engine = eval::make_engine(kind, reference.model, mode, taps);
  const auto model_engine = eval::make_engine(kind, model.model, mode, taps);
  ThreadTeam team(options.data.thread_count());
  const eval::Comparison result = eval::compare(*reference_engine, *model_engine, first_output(reference),
                                                first_output(model), layers, *loader, team, console.progress());

  Table table({"layer", "op", ">SQNR"});
  nlohmann::ordered_json json_layers = nlohmann::ordered_json::array();
  for (const auto& layer : result.layers) {
    table.add_row({layer.name, layer.op, format_decibel(layer.sqnr_db)});
    json_layers.push_back({{"name", layer.name}, {"op", layer.op}, {"sqnr_db", layer.sqnr_db}});
  }
  console.print(fmt::format("{}\n{} images: agreement {}, SQNR of the output {}\n", table.to_string(), result.images,
                            format_percent(result.agreement), format_decibel(result.sqnr_db)));
  console.write_json({{"images", result.images},
                      {"agreement", result.agreement},
                      {"sqnr_db", result.sqnr_db},
                      {"layers", json_layers}});
}

}  // namespace

Action setup_compare(CLI::App& app) {
  auto options = std::make_shared<CompareArguments>();
  add_model_option(app, "REF", options->reference, "The reference, usually the float model");
  add_model_option(app, "MODEL", options->model, "The model to hold against it");
  options->data.add_to(app);
  options->data.add_limit_to(app);
  options->engine.add_to(app);
  app.footer(
      "Examples:\n"
      "  halftone compare model.onnx model.int8.onnx --data photos --limit 100\n"
      "The table lists the layers that both models have, worst first. Agreement is the fraction of samples whose\n"
      "highest output is the same; SQNR is 10 log10(sum f^2 / sum (f - q)^2). In JSON an exact layer's SQNR is null.");
  return [options](Console& console) { compare_models(*options, console); };
}

}  // namespace halftone::cli
