#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/command.h"
#include "cli/layers.h"
#include "cli/model.h"
#include "cli/table.h"
#include "halftone/base/text.h"
#include "halftone/quant/assign.h"
#include "halftone/transform/packed_codes.h"
#include "halftone/transform/pass.h"

namespace halftone::cli {
namespace {

struct InspectArguments {
  std::string model;
};

// What `quantize` would do with each layer by default.
std::map<std::string, std::string> prospects(const Graph& graph) {
  const Graph simplified = transform::simplify(graph);
  std::set<std::string> left;
  for (const Node& node : simplified.nodes()) left.insert(layer_name(simplified, node));
  std::map<std::string, std::string> reasons = plan_quantization(simplified, Recipe()).float_reasons;
  for (const Node& node : graph.nodes()) {
    const std::string name = layer_name(graph, node);
    if (!left.contains(name)) reasons.emplace(name, "folded into its neighbours before quantization");
  }
  return reasons;
}

std::string ports(const Graph& graph, const std::vector<ValueId>& ids) {
  std::string text;
  for (ValueId id : ids) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", printable(graph.value(id).name),
                        to_string(graph.value(id).type));
  }
  return text;
}

nlohmann::ordered_json ports_json(const Graph& graph, const std::vector<ValueId>& ids) {
  auto list = nlohmann::ordered_json::array();
  for (ValueId id : ids) {
    list.push_back({{"name", graph.value(id).name}, {"type", to_string(graph.value(id).type)}});
  }
  return list;
}

void inspect_model(const InspectArguments& options, Console& console) {
  LoadedModel loaded = load_model(options.model);
  const Graph& graph = loaded.model.graph;
  const bool quantized = loaded.model.quantized();
  if (!quantized) loaded.model.float_reasons = prospects(graph);
  const std::vector<Layer> layers = layers_of(loaded.model);

  int64_t parameters = 0, bits = 0, macs = 0;
  for (ValueId id : graph.live_values()) {
    const auto& constant = graph.value(id).constant;
    if (!constant || !is_floating(constant->dtype())) continue;
    const Encoding* encoding = find_encoding(loaded.model, id);
    parameters += constant->size();
    bits += encoding == nullptr ? constant->size() * bits_of(constant->dtype())
                                : stored_bits(encoding->params, constant->shape());
  }
  for (const Layer& layer : layers) macs += layer.macs.value_or(0);

  console.print(fmt::format("{}: opset {}, IR {}, {}\ninputs:  {}\noutputs: {}\n\n{}\n", options.model, graph.opset(),
                            graph.ir_version, format_bytes(static_cast<double>(loaded.size_bytes)),
                            ports(graph, graph.required_inputs()), ports(graph, graph.outputs()), layer_table(layers)));
  console.print(fmt::format("{} nodes, {} parameters in {}, {} MACs per sample{}\n", graph.nodes().size(),
                            with_separators(parameters), format_bytes(static_cast<double>(bits) / 8),
                            with_separators(macs), quantized ? ", quantized" : ""));
  console.write_json({{"nodes", graph.nodes().size()},
                      {"parameters", parameters},
                      {"parameter_bytes", bits / 8},
                      {"macs", macs},
                      {"opset", graph.opset()},
                      {"size_bytes", loaded.size_bytes},
                      {"quantized", quantized},
                      {"inputs", ports_json(graph, graph.required_inputs())},
                      {"outputs", ports_json(graph, graph.outputs())},
                      {"layers", layers_json(layers)}});
}

}  // namespace

Action setup_inspect(CLI::App& app) {
  auto options = std::make_shared<InspectArguments>();
  add_model_option(app, "MODEL", options->model, "Model to look at");
  app.footer(
      "Example:\n  halftone inspect model.onnx\n"
      "For a float model the last column says which layers `quantize` would leave in float, and why. Unknown\n"
      "dimensions, such as the batch, are counted as 1.");
  return [options](Console& console) { inspect_model(*options, console); };
}

}  // namespace halftone::cli
