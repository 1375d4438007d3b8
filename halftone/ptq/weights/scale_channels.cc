#include "halftone/ptq/weights/scale_channels.h"

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/quant/weight_axis.h"

namespace halftone::ptq {

bool has_own_scales(const QuantizedModel& model, const WeightedLayer& layer) {
  const QuantParams& params = model.encodings.find(layer.weights)->second.params;
  const auto count = static_cast<size_t>(layer.layout.outputs());
  if (params.per_tensor() || params.block_size > 0 || params.scale.size() != count) return false;
  if (params.axis != channel_axis(model.graph.nodes()[static_cast<size_t>(layer.node)])) return false;
  return GraphIndex(model.graph).sole_consumer(model.graph.find(layer.weights)) == layer.node;
}

void scale_channels(QuantizedModel& model, const WeightedLayer& layer, const std::vector<double>& factors,
                    std::initializer_list<Graph*> graphs) {
  QuantParams& params = model.encodings.find(layer.weights)->second.params;
  HT_CHECK(params.scale.size() == factors.size(), "{} factors for {} scales", factors.size(), params.scale.size());
  const Tensor codes = quantize(*model.graph.value(model.graph.find(layer.weights)).constant, params);
  for (size_t c = 0; c < factors.size(); ++c) {
    params.scale[c] = static_cast<float>(double{params.scale[c]} * std::clamp(factors[c], 0.5, 2.0));
  }
  const Tensor weights = dequantize(codes, params);
  for (Graph* graph : graphs) graph->value(graph->find(layer.weights)).constant = weights;
}

}  // namespace halftone::ptq
