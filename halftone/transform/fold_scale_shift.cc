#include <cmath>

#include "halftone/transform/fold_affine.h"

namespace halftone::transform {
namespace {

// The constant's number for each of `channels` channels of a value of that rank (axis 1), or nullopt when it differs
// within a channel or would broaden the value.
std::optional<std::vector<double>> by_channel(const Tensor& constant, int64_t rank, int64_t channels) {
  const std::span<const float> numbers = constant.data<float>();
  if (constant.rank() > rank) return std::nullopt;
  if (constant.size() == 1) return std::vector<double>(static_cast<size_t>(channels), numbers[0]);
  const int64_t axis = 1 - (rank - constant.rank());  // of the channels in the constant
  if (axis < 0 || constant.size() != channels || constant.dim(axis) != channels) return std::nullopt;
  return std::vector<double>(numbers.begin(), numbers.end());
}

// y = x * c, c * x, x / c, x + c, c + x, x - c or c - x.
std::optional<AffineNode> affine_of_arithmetic(const Graph& graph, const RewriteIndex& index, const Node& node) {
  const bool sum = node.is("Add") || node.is("Sub"), product = node.is("Mul") || node.is("Div");
  if (!sum && !product) return std::nullopt;
  const size_t input = index.fixed_constant(node.input(0)) != nullptr ? 1 : 0;
  const Tensor* constant = index.fixed_constant(node.input(1 - input));
  const Value& x = graph.value(node.inputs[input]);
  if (constant == nullptr || constant->dtype() != DType::Float || !x.type.ranked() || x.type.rank() < 2)
    return std::nullopt;
  if (node.is("Div") && input == 1) return std::nullopt;
  const Dim& channels = (*x.type.shape)[1];
  if (!channels.known()) return std::nullopt;
  const std::optional<std::vector<double>> numbers = by_channel(*constant, x.type.rank(), channels.value);
  if (!numbers) return std::nullopt;

  AffineNode found{{std::vector<double>(numbers->size(), 1.0), std::vector<double>(numbers->size(), 0.0)}, input};
  for (size_t c = 0; c < numbers->size(); ++c) {
    const double number = (*numbers)[c];
    double &scale = found.affine.scale[c], &shift = found.affine.shift[c];
    if (!std::isfinite(number) || (node.is("Div") && number == 0)) return std::nullopt;
    if (product) scale = node.is("Mul") ? number : 1 / number;
    if (sum) shift = node.is("Sub") && input == 0 ? -number : number;
    if (node.is("Sub") && input == 1) scale = -1;
  }
  return found;
}

}  // namespace

Graph fold_scale_shift(Graph graph, const KeepNames& keep) {
  return fold_affine_nodes(std::move(graph), keep, affine_of_arithmetic);
}

}  // namespace halftone::transform
