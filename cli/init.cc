#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/model.h"
#include "cli/table.h"
#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/data/preprocess.h"
#include "halftone/onnx/onnx.h"
#include "halftone/transform/initialize.h"
#include "halftone/zoo/network.h"

namespace halftone::cli {
namespace {

struct InitArguments {
  std::string architecture, output, preprocess;
  std::string method = std::string(transform::all_init_methods().front().name);
  uint64_t seed = 0;
  bool all = false, list = false;
};

void list_networks(Console& console) {
  Table table({"network", "words", "what it is", "source"});
  auto networks = nlohmann::ordered_json::array();
  for (const zoo::NetworkInfo& info : zoo::all_networks()) {
    table.add_row(
        {std::string(info.name), std::string(info.words), std::string(info.summary), std::string(info.source)});
    networks.push_back(
        {{"name", info.name}, {"words", info.words}, {"summary", info.summary}, {"source", info.source}});
  }
  console.print(table.to_string());
  console.write_json({{"networks", networks}});
}

Graph read_model(const InitArguments& options) {
  refuse_overwriting(options.architecture, options.output);
  LoadedModel loaded = load_model(options.architecture);
  if (loaded.model.quantized()) {
    fail(ErrorCode::InvalidArgument, options.architecture,
         "a float model is required, found a quantized one; initialize its original");
  }
  return std::move(loaded.model.graph);
}

// A name of the zoo comes before a file of that name; a file with a folder or an ending is none of the zoo's.
Graph read_architecture(const InitArguments& options) {
  const std::string name = options.architecture.substr(0, options.architecture.find(':'));
  const auto known = zoo::all_networks();
  const bool in_zoo = std::any_of(known.begin(), known.end(), [&](const auto& info) { return info.name == name; });
  const bool file_name = name.find_first_of("./") != std::string::npos;
  if (!in_zoo && (file_name || std::filesystem::exists(options.architecture))) return read_model(options);
  return zoo::make_network(zoo::parse_network(options.architecture));
}

std::string names_of(const Graph& graph, const std::vector<ValueId>& ids) {
  std::string text;
  for (ValueId id : ids) text += (text.empty() ? "" : ", ") + graph.value(id).name;
  return text;
}

void init_model(const InitArguments& options, Console& console) {
  if (options.list) return list_networks(console);
  for (const auto& [text, what] : {std::pair(options.architecture, "ARCH"), std::pair(options.output, "--output")}) {
    if (text.empty()) fail(ErrorCode::InvalidArgument, what, "is required; --list shows the known architectures");
  }
  transform::Initialization how;
  how.method = transform::parse_init_method(options.method);
  how.seed = options.seed;
  if (options.all) how.which = transform::Parameters::All;
  Graph graph = read_architecture(options);
  if (!options.preprocess.empty()) {
    graph.metadata[kPreprocessKey] =
        data::Preprocess::from_json(read_file(options.preprocess), options.preprocess).to_json();
  }
  const auto parameters = transform::find_parameters(graph, how.which);
  if (parameters.empty()) {
    fail(ErrorCode::InvalidModel, options.architecture, "{}",
         options.all ? "a model with weights is required, found none that can be initialized"
                     : "a model that lacks weights is required, found all that it needs; --all draws new ones");
  }
  graph = transform::initialize(std::move(graph), how);
  onnx::export_model(graph, options.output);

  int64_t numbers = 0;
  for (const auto& [id, parameter] : parameters) numbers += graph.value(id).constant->size();
  const std::string inputs = names_of(graph, graph.required_inputs());
  console.print(fmt::format("{}: {} parameters in {} tensors by {}, seed {}; it reads {}\n", options.output,
                            with_separators(numbers), parameters.size(), options.method, options.seed, inputs));
  console.write_json({{"output", options.output},
                      {"parameters", numbers},
                      {"tensors", parameters.size()},
                      {"method", options.method},
                      {"seed", options.seed},
                      {"inputs", inputs}});
}

}  // namespace

Action setup_init(CLI::App& app) {
  auto options = std::make_shared<InitArguments>();
  app.add_option("ARCH", options->architecture,
                 "NAME:WORD=VALUE:... of a known architecture (--list), or an ONNX file without weights")
      ->type_name("ARCH");
  app.add_option("-o,--output", options->output, "Where to write the model")->type_name("FILE");
  std::string methods;
  for (const auto& info : transform::all_init_methods()) {
    methods += fmt::format("{}{} ({})", methods.empty() ? "" : "; ", info.name, info.source);
  }
  app.add_option("--method", options->method, "How weights are drawn: " + methods)->type_name("NAME");
  app.add_option("--seed", options->seed, "Of the random numbers (default 0); the same seed gives the same file")
      ->type_name("N");
  app.add_flag("--all", options->all, "Draw new weights for those that the file has, too");
  app.add_option("--preprocess", options->preprocess, "How images become inputs, to be kept in the file")
      ->type_name("FILE");
  app.add_flag("--list", options->list, "Show the known architectures, and their words with the defaults");
  app.footer(
      "Examples:\n"
      "  halftone init --list\n"
      "  halftone init resnet:depth=20:width=0.5 -o student.onnx --preprocess cifar10.preprocess.json\n"
      "  halftone init mobilenet_v2:width=0.35:size=96:classes=10 -o model.onnx --seed 7\n"
      "  halftone init exported_without_weights.onnx -o model.onnx\n"
      "  halftone init trained.onnx -o untrained.onnx --all\n"
      "In a file without weights, inputs of known shape that layers read as parameters get content. Biases and means\n"
      "begin at 0, scales and variances at 1, weights at random numbers that depend on the seed and on their names.");
  return [options](Console& console) { init_model(*options, console); };
}

}  // namespace halftone::cli
