#include <cmath>

#include "halftone/transform/fold_affine.h"

namespace halftone::transform {
namespace {

// BatchNormalization at inference (ONNX): y = (x - mean) / sqrt(var + epsilon) * gamma + beta.
std::optional<AffineNode> affine_of_norm(const Graph&, const RewriteIndex& index, const Node& norm) {
  if (!norm.is("BatchNormalization")) return std::nullopt;
  if (norm.int_or("training_mode", 0) != 0 || norm.int_or("spatial", 1) != 1) return std::nullopt;
  const Tensor* parameters[4];  // gamma, beta, mean, var
  for (size_t i = 0; i < 4; ++i) {
    parameters[i] = index.replaceable_floats(norm.input(i + 1));
    if (parameters[i] == nullptr || parameters[i]->size() != parameters[0]->size()) return std::nullopt;
  }
  const double epsilon = norm.float_or("epsilon", 1e-5f);
  Affine affine;
  for (size_t c = 0; c < static_cast<size_t>(parameters[0]->size()); ++c) {
    const auto number = [&](int which) { return static_cast<double>(parameters[which]->data<float>()[c]); };
    affine.scale.push_back(number(0) / std::sqrt(number(3) + epsilon));
    affine.shift.push_back(number(1) - number(2) * affine.scale.back());
  }
  return AffineNode{std::move(affine), 0};
}

}  // namespace

// Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
// 2018, section 3.2, equation 14.
Graph fold_batch_norm(Graph graph, const KeepNames& keep) {
  return fold_affine_nodes(std::move(graph), keep, affine_of_norm);
}

}  // namespace halftone::transform
