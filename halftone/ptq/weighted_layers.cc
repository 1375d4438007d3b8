#include "halftone/ptq/weighted_layers.h"

#include "halftone/base/error.h"
#include "halftone/quant/assign.h"
#include "halftone/quant/recipe.h"

namespace halftone::ptq {

std::vector<WeightedLayer> weighted_layers(const QuantizedModel& model, std::string_view pattern) {
  std::vector<WeightedLayer> layers;
  const Graph& graph = model.graph;
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    const ValueId weights = node.input(1);
    if (weights == ValueId::None || !graph.value(weights).constant || find_encoding(model, weights) == nullptr)
      continue;
    const auto layout = transform::weight_layout(node, graph.value(weights).constant->shape());
    const std::string name = layer_name(graph, node);
    if (!layout || !glob_match(pattern, name)) continue;
    layers.push_back({static_cast<int>(i), name, graph.value(node.output(0)).name, graph.value(weights).name, *layout});
  }
  if (layers.empty() && pattern != "*") {
    fail(ErrorCode::InvalidArgument, "layers", "no layer with weights on a grid has a name like '{}'", pattern);
  }
  return layers;
}

}  // namespace halftone::ptq
