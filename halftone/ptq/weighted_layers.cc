#include "halftone/ptq/weighted_layers.h"

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
  return layers;
}

int64_t channel_axis(const Node& node, int64_t rank) { return node.is("Gemm") || node.is("MatMul") ? rank - 1 : 1; }

std::vector<double> channel_sums(const Tensor& value, int64_t axis) {
  const int64_t channels = value.dim(axis);
  std::vector<double> sums(static_cast<size_t>(channels), 0.0);
  if (value.size() == 0) return sums;
  const int64_t inner = contiguous_strides(value.shape())[static_cast<size_t>(axis)];
  const float* at = value.data<float>().data();
  for (int64_t outer = value.size() / (channels * inner); outer > 0; --outer) {
    for (double& sum : sums) {
      // Four chains hide the latency of the additions.
      double part[4] = {};
      int64_t i = 0;
      for (; i + 4 <= inner; i += 4) {
        for (int64_t k = 0; k < 4; ++k) part[k] += double{at[i + k]};
      }
      for (; i < inner; ++i) part[0] += double{at[i]};
      sum += (part[0] + part[1]) + (part[2] + part[3]);
      at += inner;
    }
  }
  return sums;
}

}  // namespace halftone::ptq
