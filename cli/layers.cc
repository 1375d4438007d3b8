#include "cli/layers.h"

#include <map>
#include <nlohmann/json.hpp>

#include "cli/table.h"
#include "halftone/graph/cost.h"
#include "halftone/graph/op_table.h"
#include "halftone/quant/assign.h"
#include "halftone/quant/integer_plan.h"

namespace halftone::cli {
namespace {

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

// The bits in use of a grid: "int3", "uint8", "4-bit codebook".
std::string type_of(const Encoding& encoding) {
  const QuantParams& params = encoding.params;
  const int bits = code_bits(params);
  if (params.levels.empty()) return fmt::format("{}int{}", is_signed_integer(params.dtype) ? "" : "u", bits);
  const std::string& grid = encoding.spec.grid;
  return fmt::format("{}-bit {}", bits, grid == QuantSpec().grid ? "levels" : grid);
}

std::string type_of(const QuantizedModel& model, ValueId id) {
  if (id == ValueId::None) return "";
  const Encoding* encoding = find_encoding(model, id);
  return encoding != nullptr ? type_of(*encoding) : std::string(name_of(model.graph.value(id).type.dtype));
}

}  // namespace

std::vector<Layer> layers_of(const QuantizedModel& model) {
  const Graph graph = with_batch_of_one(model.graph);
  const IntegerPlan plan = plan_integers(model);
  std::vector<Layer> layers;
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    Layer layer;
    layer.name = layer_name(graph, node);
    layer.op = node.op_type;
    layer.parameters = parameters_of(graph, node);
    layer.macs = macs_of(graph, node);
    if (node.output(0) != ValueId::None) {
      const TensorType& type = graph.value(node.output(0)).type;
      const auto shape = type.fixed_shape();
      layer.output = shape ? to_string(*shape) : to_string(type);
      // A layer that absorbs the activation behind it stores what that one gives.
      const bool integer = plan.nodes[i].has_value();
      layer.activations = type_of(model, integer ? plan.nodes[i]->outputs[0].value : node.output(0));
      if (integer && plan.nodes[i]->dynamic) {
        layer.activations = "dynamic uint8";
      } else if (integer && !plan.nodes[i]->outputs[0].grid) {
        layer.reason = "int32 sums become real numbers for who reads them";
      }
    }
    if (layer.parameters > 0 && node.inputs.size() > 1) layer.weights = type_of(model, node.input(1));
    const auto reason = model.float_reasons.find(layer.name);
    if (reason != model.float_reasons.end()) layer.reason = reason->second;
    const auto refusal = plan.refusals.find(static_cast<int>(i));
    if (layer.reason.empty() && refusal != plan.refusals.end()) layer.reason = refusal->second;
    layers.push_back(std::move(layer));
  }
  return layers;
}

std::string layer_table(const std::vector<Layer>& layers) {
  Table table({"layer", "op", "output", ">parameters", ">MACs", "weights", "activations", "in float because"});
  for (const Layer& layer : layers) {
    const std::string macs = !layer.macs ? "?" : *layer.macs > 0 ? with_separators(*layer.macs) : "";
    table.add_row({layer.name, layer.op, layer.output, layer.parameters > 0 ? with_separators(layer.parameters) : "",
                   macs, layer.weights, layer.activations, layer.reason});
  }
  return table.to_string();
}

nlohmann::ordered_json layers_json(const std::vector<Layer>& layers) {
  auto list = nlohmann::ordered_json::array();
  for (const Layer& layer : layers) {
    list.push_back({{"name", layer.name},
                    {"op", layer.op},
                    {"output", layer.output},
                    {"parameters", layer.parameters},
                    {"macs", layer.macs ? nlohmann::ordered_json(*layer.macs) : nlohmann::ordered_json()},
                    {"weights", layer.weights},
                    {"activations", layer.activations},
                    {"reason", layer.reason}});
  }
  return list;
}

}  // namespace halftone::cli
