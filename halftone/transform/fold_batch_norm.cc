#include <cmath>

#include "halftone/transform/rewrite.h"

namespace halftone::transform {
namespace {

// y = x * scale + shift, per channel.
struct Affine {
  std::vector<double> scale, shift;
  int64_t channels() const { return static_cast<int64_t>(scale.size()); }
};

// BatchNormalization at inference (ONNX): y = (x - mean) / sqrt(var + epsilon) * gamma + beta.
std::optional<Affine> affine_of(const RewriteIndex& index, const Node& norm) {
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
  return affine;
}

// How the output channels lie in a weight tensor: weights[outer, oc, inner], repeated for every group.
struct ChannelLayout {
  int64_t groups, outer, channels, inner;
};

std::optional<ChannelLayout> layout_of(const Node& node, const Shape& w) {
  if (node.is("Gemm")) {
    if (w.size() != 2) return std::nullopt;
    return node.int_or("transB", 0) != 0 ? ChannelLayout{1, 1, w[0], w[1]} : ChannelLayout{1, w[0], w[1], 1};
  }
  if (w.size() < 3) return std::nullopt;
  const int64_t kernel = element_count(Shape(w.begin() + 2, w.end()));
  if (node.is("Conv")) return ChannelLayout{1, 1, w[0], w[1] * kernel};
  const int64_t groups = node.int_or("group", 1);  // ConvTranspose: [ic, oc / group, kernel...]
  if (groups < 1 || w[0] % groups != 0) return std::nullopt;
  return ChannelLayout{groups, w[0] / groups, w[1], kernel};
}

Tensor scaled_weights(const Tensor& weights, const ChannelLayout& layout, const Affine& affine) {
  Tensor scaled(DType::Float, weights.shape());
  const std::span<const float> from = weights.data<float>();
  const std::span<float> to = scaled.mutable_data<float>();
  size_t i = 0;
  for (int64_t group = 0; group < layout.groups; ++group) {
    for (int64_t outer = 0; outer < layout.outer; ++outer) {
      for (int64_t c = 0; c < layout.channels; ++c) {
        const double scale = affine.scale[static_cast<size_t>(group * layout.channels + c)];
        for (int64_t inner = 0; inner < layout.inner; ++inner, ++i) to[i] = static_cast<float>(from[i] * scale);
      }
    }
  }
  return scaled;
}

// The bias of the node as one number per channel, or nullopt when it has another form.
std::optional<std::vector<double>> bias_of(const RewriteIndex& index, const Node& node, int64_t channels) {
  std::vector<double> bias(static_cast<size_t>(channels), 0.0);
  if (node.input(2) == ValueId::None) return bias;
  const Tensor* constant = index.replaceable_floats(node.inputs[2]);
  if (constant == nullptr) return std::nullopt;
  const bool per_channel = constant->size() == channels && constant->dim(constant->rank() - 1) == channels;
  if (constant->size() != 1 && !per_channel) return std::nullopt;
  const double factor = node.is("Gemm") ? node.float_or("beta", 1.0f) : 1.0;
  for (size_t c = 0; c < bias.size(); ++c) bias[c] = factor * constant->data<float>()[constant->size() == 1 ? 0 : c];
  return bias;
}

bool fold(Graph& graph, const RewriteIndex& index, Node& node, const Node& norm) {
  const Tensor* weights = index.replaceable_floats(node.input(1));
  if (weights == nullptr) return false;
  const std::optional<Affine> affine = affine_of(index, norm);
  const std::optional<ChannelLayout> layout = layout_of(node, weights->shape());
  if (!affine || !layout || layout->groups * layout->channels != affine->channels()) return false;
  const std::optional<std::vector<double>> bias = bias_of(index, node, affine->channels());
  if (!bias) return false;

  Tensor new_bias(DType::Float, {affine->channels()});
  for (size_t c = 0; c < bias->size(); ++c) {
    new_bias.mutable_data<float>()[c] = static_cast<float>((*bias)[c] * affine->scale[c] + affine->shift[c]);
  }
  node.inputs[1] = replace_constant(graph, index, node.inputs[1], scaled_weights(*weights, *layout, *affine));
  if (node.input(2) != ValueId::None) {
    node.inputs[2] = replace_constant(graph, index, node.inputs[2], std::move(new_bias));
  } else {
    node.inputs.resize(2);
    const std::string name = graph.value(node.inputs[1]).name + "_bias";
    node.inputs.push_back(graph.add_constant(graph.fresh_name(name), std::move(new_bias)));
  }
  if (node.is("Gemm")) node.set_attribute("beta", 1.0f);
  node.outputs[0] = norm.outputs[0];
  return true;
}

bool fold_once(Graph& graph, const KeepNames& keep) {
  const RewriteIndex index(graph, keep);
  std::vector<Node>& nodes = graph.nodes();
  std::vector<bool> folded(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (!nodes[i].is("Conv") && !nodes[i].is("ConvTranspose") && !nodes[i].is("Gemm")) continue;
    const ValueId y = nodes[i].output(0);
    if (y == ValueId::None || index.is_kept(y)) continue;
    const int reader = index.sole_consumer(y);
    if (reader < 0) continue;
    const Node& norm = nodes[static_cast<size_t>(reader)];
    const bool reads_as_data = norm.is("BatchNormalization") && norm.input(0) == y && norm.output(0) != ValueId::None;
    if (reads_as_data && fold(graph, index, nodes[i], norm)) folded[static_cast<size_t>(reader)] = true;
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

// Rewrite BatchNormalization(Conv(x, w, b)) to Conv(x, w * scale, b * scale + shift) when nobody else reads the Conv.
// Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
// 2018, section 3.2, equation 14.
Graph fold_batch_norm(Graph graph, const KeepNames& keep) {
  while (fold_once(graph, keep)) {
  }
  graph.remove_dead();
  return graph;
}

}  // namespace halftone::transform
