#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/model.h"
#include "cli/table.h"
#include "halftone/graph/cost.h"
#include "halftone/graph/op_table.h"
#include "halftone/quant/assign.h"

namespace halftone::cli {
namespace {

struct Options {
  std::string model;
};

struct Layer {
  std::string name, op, shape;
  int64_t parameters = 0;
  std::optional<int64_t> macs;
  std::string weight_type, activation_type;  // "int8", "uint8", "float"
  std::string reason;                        // why it stays float; empty for what is or can be quantized
};

// Costs need numbers: an unknown batch is counted as one sample.
Graph with_batch_of_one(Graph graph) {
  std::map<std::string, Shape> shapes;
  for (ValueId id : graph.required_inputs()) {
    const Value& value = graph.value(id);
    if (!value.type.ranked()) continue;
    Shape shape;
    for (const Dim& dim : *value.type.shape) shape.push_back(dim.known() ? dim.value : 1);
    shapes[value.name] = std::move(shape);
  }
  infer_shapes(graph, shapes);
  return graph;
}

std::string type_of(const QuantizedModel& model, ValueId id) {
  const Encoding* encoding = find_encoding(model, id);
  if (encoding != nullptr) return std::string(name_of(encoding->params.dtype));
  return id == ValueId::None ? "" : std::string(name_of(model.graph.value(id).type.dtype));
}

std::string name_of_layer(const Graph& graph, const Node& node) {
  if (!node.name.empty()) return node.name;
  return node.outputs.empty() || node.outputs[0] == ValueId::None ? "" : graph.value(node.outputs[0]).name;
}

std::vector<Layer> layers_of(const QuantizedModel& model) {
  QuantizedModel sized = model;
  sized.graph = with_batch_of_one(model.graph);
  const std::map<std::string, std::string> reasons = explain_float(model);
  std::vector<Layer> layers;
  for (const Node& node : sized.graph.nodes()) {
    Layer layer{name_of_layer(sized.graph, node), node.op_type, "", parameters_of(sized.graph, node),
                macs_of(sized.graph, node),       "",           "", ""};
    if (node.output(0) != ValueId::None) {
      const auto shape = sized.graph.value(node.output(0)).type.fixed_shape();
      layer.shape = shape ? to_string(*shape) : to_string(sized.graph.value(node.output(0)).type);
      layer.activation_type = type_of(sized, node.output(0));
    }
    if (layer.parameters > 0 && node.inputs.size() > 1) layer.weight_type = type_of(sized, node.input(1));
    const auto reason = reasons.find(layer.name);
    if (reason != reasons.end()) layer.reason = reason->second;
    layers.push_back(std::move(layer));
  }
  return layers;
}

std::string ports(const Graph& graph, const std::vector<ValueId>& ids) {
  std::string text;
  for (ValueId id : ids) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", graph.value(id).name, to_string(graph.value(id).type));
  }
  return text;
}

nlohmann::ordered_json port_list(const Graph& graph, const std::vector<ValueId>& ids) {
  auto list = nlohmann::ordered_json::array();
  for (ValueId id : ids) {
    list.push_back({{"name", graph.value(id).name}, {"type", to_string(graph.value(id).type)}});
  }
  return list;
}

void inspect_model(const Options& options, Console& console) {
  const LoadedModel loaded = load_model(options.model);
  const Graph& graph = loaded.model.graph;
  const std::vector<Layer> layers = layers_of(loaded.model);

  int64_t parameters = 0, macs = 0, bits = 0;
  for (ValueId id : graph.live_values()) {
    const auto& constant = graph.value(id).constant;
    if (!constant || !is_floating(constant->dtype())) continue;
    const Encoding* encoding = find_encoding(loaded.model, id);
    parameters += constant->size();
    bits += constant->size() * bits_of(encoding == nullptr ? constant->dtype() : encoding->params.dtype);
  }
  Table table({"layer", "op", "output", ">parameters", ">MACs", "weights", "activations", "stays float because"});
  auto json_layers = nlohmann::ordered_json::array();
  for (const Layer& layer : layers) {
    macs += layer.macs.value_or(0);
    table.add_row({layer.name, layer.op, layer.shape, layer.parameters > 0 ? with_separators(layer.parameters) : "",
                   !layer.macs ? "?" : (*layer.macs > 0 ? with_separators(*layer.macs) : ""), layer.weight_type,
                   layer.activation_type, layer.reason});
    json_layers.push_back({{"name", layer.name},
                           {"op", layer.op},
                           {"output", layer.shape},
                           {"parameters", layer.parameters},
                           {"macs", layer.macs ? nlohmann::ordered_json(*layer.macs) : nlohmann::ordered_json()},
                           {"weights", layer.weight_type},
                           {"activations", layer.activation_type},
                           {"reason", layer.reason}});
  }
  console.print(fmt::format("{}: opset {}, IR {}, {}\ninputs:  {}\noutputs: {}\n\n{}\n", options.model, graph.opset(),
                            graph.ir_version, format_bytes(static_cast<double>(loaded.size_bytes)),
                            ports(graph, graph.required_inputs()), ports(graph, graph.outputs()), table.to_string()));
  console.print(fmt::format("{} nodes, {} parameters in {}, {} MACs per sample\n", graph.nodes().size(),
                            with_separators(parameters), format_bytes(static_cast<double>(bits) / 8),
                            with_separators(macs)));
  console.write_json({{"nodes", graph.nodes().size()},
                      {"parameters", parameters},
                      {"parameter_bytes", bits / 8},
                      {"macs", macs},
                      {"opset", graph.opset()},
                      {"size_bytes", loaded.size_bytes},
                      {"inputs", port_list(graph, graph.required_inputs())},
                      {"outputs", port_list(graph, graph.outputs())},
                      {"layers", json_layers}});
}

}  // namespace

Action setup_inspect(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_model_option(app, "MODEL", options->model, "Model to look at");
  app.footer("Example:\n  halftone inspect model.onnx\nUnknown dimensions, such as the batch, are counted as 1.");
  return [options](Console& console) { inspect_model(*options, console); };
}

}  // namespace halftone::cli
