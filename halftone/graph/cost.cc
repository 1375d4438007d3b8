#include "halftone/graph/cost.h"

namespace halftone {
namespace {

std::optional<Shape> shape_of(const Graph& graph, ValueId id) {
  if (id == ValueId::None) return std::nullopt;
  const Value& value = graph.value(id);
  if (value.constant) return value.constant->shape();
  return value.type.fixed_shape();
}

// Every output element of a convolution sums over input channels per group times the kernel; a transposed one the other
// way round.
std::optional<int64_t> convolution_macs(const Graph& graph, ValueId weights, ValueId per_element_of) {
  const auto weight_shape = shape_of(graph, weights);
  const auto elements = shape_of(graph, per_element_of);
  if (!weight_shape || !elements || weight_shape->size() < 2) return std::nullopt;
  const Shape per_channel(weight_shape->begin() + 1, weight_shape->end());
  return element_count(*elements) * element_count(per_channel);
}

std::optional<int64_t> product_macs(const Graph& graph, ValueId a, bool transpose_a, ValueId result) {
  const auto a_shape = shape_of(graph, a);
  const auto result_shape = shape_of(graph, result);
  if (!a_shape || !result_shape || a_shape->empty()) return std::nullopt;
  const int64_t depth = transpose_a ? a_shape->front() : a_shape->back();
  return element_count(*result_shape) * depth;
}

}  // namespace

std::optional<int64_t> macs_of(const Graph& graph, const Node& node) {
  if (node.is("Conv") || node.is("ConvInteger")) return convolution_macs(graph, node.input(1), node.output(0));
  if (node.is("QLinearConv")) return convolution_macs(graph, node.input(3), node.output(0));
  if (node.is("ConvTranspose")) return convolution_macs(graph, node.input(1), node.input(0));
  if (node.is("Gemm")) return product_macs(graph, node.input(0), node.int_or("transA", 0) != 0, node.output(0));
  if (node.is("MatMul") || node.is("MatMulInteger") || node.is("QLinearMatMul")) {
    return product_macs(graph, node.input(0), false, node.output(0));
  }
  return 0;
}

int64_t parameters_of(const Graph& graph, const Node& node) {
  // Shapes, axes and single numbers (the bounds of a Clip) are constants too, but no parameters.
  int64_t count = 0;
  for (ValueId id : node.inputs) {
    if (id == ValueId::None) continue;
    const auto& constant = graph.value(id).constant;
    if (constant && constant->rank() > 0 && (is_floating(constant->dtype()) || bits_of(constant->dtype()) <= 8))
      count += constant->size();
  }
  return count;
}

}  // namespace halftone
