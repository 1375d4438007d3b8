#include "halftone/quant/channel_moments.h"

#include <algorithm>
#include <cmath>

namespace halftone {
namespace {

const Tensor* parameter(const Graph& graph, const Node& node, size_t input) {
  const ValueId id = node.input(input);
  if (id == ValueId::None || !graph.value(id).constant) return nullptr;
  const Tensor& content = *graph.value(id).constant;
  const auto finite = [](std::span<const float> numbers) {
    return std::all_of(numbers.begin(), numbers.end(), [](float x) { return std::isfinite(x); });
  };
  return content.dtype() == DType::Float && finite(content.data<float>()) ? &content : nullptr;
}

}  // namespace

NormStatistics collect_norm_statistics(const Graph& graph) {
  NormStatistics statistics;
  for (const Node& node : graph.nodes()) {
    if (!node.is("BatchNormalization") || node.output(0) == ValueId::None) continue;
    const Tensor* gamma = parameter(graph, node, 1);
    const Tensor* beta = parameter(graph, node, 2);
    if (gamma == nullptr || beta == nullptr || gamma->size() != beta->size()) continue;
    ChannelMoments& moments = statistics[graph.value(node.output(0)).name];
    for (float mean : beta->data<float>()) moments.mean.push_back(mean);
    for (float scale : gamma->data<float>()) moments.deviation.push_back(std::abs(scale));
  }
  return statistics;
}

}  // namespace halftone
