// A scale and a shift per channel that follow a layer go into the layer.
#pragma once

#include <cstdint>
#include <vector>

#include "halftone/transform/rewrite.h"

namespace halftone::transform {

// y = x * scale + shift, per channel.
struct Affine {
  std::vector<double> scale, shift;
  int64_t channels() const { return static_cast<int64_t>(scale.size()); }
};

// What a node does to its input 0 or 1, or nullopt. `input`: which one it is.
struct AffineNode {
  Affine affine;
  size_t input = 0;
};
using AffineRule = std::optional<AffineNode> (*)(const Graph& graph, const RewriteIndex& index, const Node& node);

// Rewrites A(layer(x, w, b)) to layer(x, w * scale, b * scale + shift) wherever `rule` knows A, layer is a Conv,
// ConvTranspose or Gemm with constant weights, and nobody else reads the layer's result. The layer takes over the name
// of A's result.
Graph fold_affine_nodes(Graph graph, const KeepNames& keep, AffineRule rule);

}  // namespace halftone::transform
