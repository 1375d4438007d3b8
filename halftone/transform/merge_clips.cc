#include <algorithm>
#include <cmath>
#include <limits>

#include "halftone/transform/rewrite.h"

namespace halftone::transform {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Bounds {
  float low = -kInfinity, high = kInfinity;
};

// Of a Relu, or a Clip of floats with constant bounds as inputs (operator set 11 and later).
std::optional<Bounds> bounds_of(const RewriteIndex& index, const Node& node) {
  if (node.is("Relu")) return Bounds{0, kInfinity};
  if (!node.is("Clip") || node.find_attribute("min") != nullptr || node.find_attribute("max") != nullptr)
    return std::nullopt;
  Bounds bounds;
  float* const parts[] = {&bounds.low, &bounds.high};
  for (size_t i = 0; i < 2; ++i) {
    if (node.input(i + 1) == ValueId::None) continue;
    const Tensor* content = index.fixed_constant(node.inputs[i + 1]);
    if (content == nullptr || content->dtype() != DType::Float || content->size() != 1) return std::nullopt;
    *parts[i] = content->data<float>()[0];
  }
  return bounds.low <= bounds.high ? std::optional(bounds) : std::nullopt;
}

}  // namespace

// Rewrite B(A(x)), each of them Relu or Clip, to one Clip(x) or Relu(x) when nobody else reads A: its bounds are A's,
// clamped by B.
Graph merge_clips(Graph graph, const KeepNames& keep) {
  std::vector<Node>& nodes = graph.nodes();
  for (bool changed = true; changed;) {
    changed = false;
    const RewriteIndex index(graph, keep);
    for (size_t i = 0; i < nodes.size() && !changed; ++i) {
      const std::optional<Bounds> second = bounds_of(index, nodes[i]);
      const ValueId between = nodes[i].input(0);
      const int maker = between == ValueId::None ? -1 : index.producer(between);
      if (!second || maker < 0 || index.sole_consumer(between) != static_cast<int>(i) || index.is_kept(between))
        continue;
      const Node& before = nodes[static_cast<size_t>(maker)];
      const std::optional<Bounds> first = bounds_of(index, before);
      if (!first) continue;
      const auto clamped = [&](float bound) { return std::min(std::max(bound, second->low), second->high); };
      const Bounds both{clamped(first->low), clamped(first->high)};
      const bool relu = both.low == 0 && both.high == kInfinity;
      Node& node = nodes[i];
      if (!relu && graph.opset() < 11) continue;
      node.op_type = relu ? "Relu" : "Clip";
      node.inputs = {before.inputs[0]};
      if (!relu) {
        const std::string stem = graph.value(node.outputs[0]).name;
        const float bounds[] = {both.low, both.high};
        const char* const names[] = {"_min", "_max"};
        for (size_t k = 0; k < 2; ++k) {
          const bool left_out = std::isinf(bounds[k]);
          node.inputs.push_back(left_out
                                    ? ValueId::None
                                    : graph.add_constant(graph.fresh_name(stem + names[k]), Tensor::scalar(bounds[k])));
        }
        while (node.inputs.back() == ValueId::None) node.inputs.pop_back();
      }
      nodes.erase(nodes.begin() + maker);
      changed = true;
    }
  }
  graph.remove_dead();
  return graph;
}

}  // namespace halftone::transform
