#include "halftone/transform/layer_weights.h"

#include "halftone/base/error.h"

namespace halftone::transform {

std::optional<WeightLayout> weight_layout(const Node& node, const Shape& w) {
  WeightLayout layout;
  if (node.is("Gemm") || node.is("MatMul")) {
    if (w.size() != 2) return std::nullopt;
    layout = {w[0], w[1], 1, 1, node.is("Gemm") && node.int_or("transB", 0) != 0};
  } else if (node.is("Conv") || node.is("ConvTranspose")) {
    if (w.size() < 3) return std::nullopt;
    const int64_t kernel = element_count(Shape(w.begin() + 2, w.end()));
    layout = {w[0], w[1], kernel, node.int_or("group", 1), node.is("Conv")};
  } else {
    return std::nullopt;
  }
  if (layout.groups < 1 || layout.rows % layout.groups != 0 || element_count(w) == 0) return std::nullopt;
  return layout;
}

std::optional<std::vector<double>> bias_of(const RewriteIndex& index, const Node& node, int64_t channels) {
  std::vector<double> bias(static_cast<size_t>(channels), 0.0);
  if (node.is("MatMul") || node.input(2) == ValueId::None) return bias;
  const Tensor* constant = index.replaceable_floats(node.inputs[2]);
  if (constant == nullptr) return std::nullopt;
  const bool per_channel = constant->size() == channels && constant->dim(constant->rank() - 1) == channels;
  if (constant->size() != 1 && !per_channel) return std::nullopt;
  const double factor = node.is("Gemm") ? node.float_or("beta", 1.0f) : 1.0;
  for (size_t c = 0; c < bias.size(); ++c) bias[c] = factor * constant->data<float>()[constant->size() == 1 ? 0 : c];
  return bias;
}

void set_bias(Graph& graph, const GraphIndex& index, Node& node, const std::vector<double>& bias) {
  HT_CHECK(!node.is("MatMul"), "a MatMul has no bias");
  Tensor content(DType::Float, {static_cast<int64_t>(bias.size())});
  for (size_t c = 0; c < bias.size(); ++c) content.mutable_data<float>()[c] = static_cast<float>(bias[c]);
  if (node.input(2) != ValueId::None) {
    node.inputs[2] = replace_constant(graph, index, node.inputs[2], std::move(content));
  } else {
    node.inputs.resize(2);
    const std::string name = graph.value(node.inputs[1]).name + "_bias";
    node.inputs.push_back(graph.add_constant(graph.fresh_name(name), std::move(content)));
  }
  if (node.is("Gemm")) node.set_attribute("beta", 1.0f);
}

}  // namespace halftone::transform
