#include "halftone/transform/fold_affine.h"

#include "halftone/transform/layer_weights.h"

namespace halftone::transform {
namespace {

Tensor scaled_weights(const Tensor& weights, const WeightLayout& layout, const Affine& affine) {
  Tensor scaled(DType::Float, weights.shape());
  const std::span<const float> from = weights.data<float>();
  const std::span<float> to = scaled.mutable_data<float>();
  layout.for_each([&](int64_t out, int64_t, int64_t offset) {
    const double scale = affine.scale[static_cast<size_t>(out)];
    for (int64_t k = offset; k < offset + layout.inner; ++k) {
      to[static_cast<size_t>(k)] = static_cast<float>(from[static_cast<size_t>(k)] * scale);
    }
  });
  return scaled;
}

bool fold(Graph& graph, const RewriteIndex& index, Node& node, const Affine& affine, ValueId y) {
  const Tensor* weights = index.replaceable_floats(node.input(1));
  if (weights == nullptr) return false;
  const std::optional<WeightLayout> layout = weight_layout(node, weights->shape());
  if (!layout || layout->outputs() != affine.channels()) return false;
  std::optional<std::vector<double>> bias = bias_of(index, node, affine.channels());
  if (!bias) return false;

  for (size_t c = 0; c < bias->size(); ++c) (*bias)[c] = (*bias)[c] * affine.scale[c] + affine.shift[c];
  node.inputs[1] = replace_constant(graph, index, node.inputs[1], scaled_weights(*weights, *layout, affine));
  set_bias(graph, index, node, *bias);
  node.outputs[0] = y;
  return true;
}

bool fold_once(Graph& graph, const KeepNames& keep, AffineRule rule) {
  const RewriteIndex index(graph, keep);
  std::vector<Node>& nodes = graph.nodes();
  std::vector<bool> folded(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (!nodes[i].is("Conv") && !nodes[i].is("ConvTranspose") && !nodes[i].is("Gemm")) continue;
    const ValueId y = nodes[i].output(0);
    if (y == ValueId::None || index.is_kept(y)) continue;
    const int reader = index.sole_consumer(y);
    if (reader < 0) continue;
    const Node& after = nodes[static_cast<size_t>(reader)];
    const std::optional<AffineNode> found = after.output(0) == ValueId::None ? std::nullopt : rule(graph, index, after);
    if (found && after.input(found->input) == y && fold(graph, index, nodes[i], found->affine, after.outputs[0])) {
      folded[static_cast<size_t>(reader)] = true;
    }
  }
  std::vector<Node> left;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (!folded[i]) left.push_back(std::move(nodes[i]));
  }
  const bool changed = left.size() != nodes.size();
  nodes = std::move(left);
  return changed;
}

}  // namespace

Graph fold_affine_nodes(Graph graph, const KeepNames& keep, AffineRule rule) {
  while (fold_once(graph, keep, rule)) {
  }
  graph.remove_dead();
  return graph;
}

}  // namespace halftone::transform
