#include <algorithm>

#include "halftone/transform/equalize.h"
#include "halftone/transform/layer_weights.h"

namespace halftone::transform {

Graph zero_dead_weights(Graph graph, const ChannelRanges& ranges) {
  const KeepNames keep;
  const RewriteIndex index(graph, keep);
  for (Node& node : graph.nodes()) {
    const ValueId x = node.input(0);
    const auto found = x == ValueId::None ? ranges.end() : ranges.find(graph.value(x).name);
    const Tensor* weights = index.replaceable_floats(node.input(1));
    if (found == ranges.end() || weights == nullptr) continue;
    const std::optional<WeightLayout> layout = weight_layout(node, weights->shape());
    const std::vector<Range>& channels = found->second;
    const auto dead = [](const Range& range) { return range.low == 0 && range.high == 0; };
    if (!layout || layout->inputs() != static_cast<int64_t>(channels.size()) || node.int_or("transA", 0) != 0 ||
        std::none_of(channels.begin(), channels.end(), dead))
      continue;
    Tensor content = Tensor::from<float>(weights->shape(), weights->data<float>());
    const std::span<float> numbers = content.mutable_data<float>();
    layout->for_each([&](int64_t, int64_t in, int64_t offset) {
      if (!dead(channels[static_cast<size_t>(in)])) return;
      std::fill_n(numbers.begin() + offset, layout->inner, 0.0f);
    });
    node.inputs[1] = replace_constant(graph, index, node.inputs[1], std::move(content));
  }
  return graph;
}

}  // namespace halftone::transform
