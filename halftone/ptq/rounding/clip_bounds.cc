#include "halftone/ptq/rounding/clip_bounds.h"

#include <optional>

namespace halftone::ptq {
namespace {

// Bound `input` of a Clip, which is an attribute before opset 11; nullopt when it is computed.
std::optional<double> clip_bound(const Graph& graph, const Node& clip, size_t input, const char* attribute,
                                 double unbounded) {
  if (const ValueId id = clip.input(input); id != ValueId::None) {
    const std::optional<Tensor>& constant = graph.value(id).constant;
    if (!constant || constant->size() != 1 || constant->dtype() != DType::Float) return std::nullopt;
    return constant->data<float>()[0];
  }
  const Attribute* found = clip.find_attribute(attribute);
  return found == nullptr ? unbounded : double{clip.float_or(attribute, 0)};
}

}  // namespace

std::optional<ClipBounds> bounds_of_clip(const Graph& graph, const Node& activation) {
  if (activation.is("Relu")) return ClipBounds{0, ClipBounds{}.high};
  const auto low = clip_bound(graph, activation, 1, "min", ClipBounds{}.low);
  const auto high = clip_bound(graph, activation, 2, "max", ClipBounds{}.high);
  if (!low || !high || *low > *high) return std::nullopt;
  return ClipBounds{*low, *high};
}

ClipBounds clip_bounds_behind(const Graph& graph, const GraphIndex& index, const Node& node) {
  const int reader = index.sole_consumer(node.output(0));
  if (reader < 0) return {};
  const Node& activation = graph.nodes()[static_cast<size_t>(reader)];
  const bool clips = activation.is("Relu") || (activation.is("Clip") && activation.input(0) == node.output(0));
  return clips ? bounds_of_clip(graph, activation).value_or(ClipBounds{}) : ClipBounds{};
}

}  // namespace halftone::ptq
