#include "halftone/transform/channel_groups.h"

#include <numeric>

#include "halftone/transform/channel_links.h"

namespace halftone::transform {

// --- ChannelLinks

ChannelLinks::ChannelLinks(const Graph& graph)
    : graph_(graph), index_(graph, keep_), first_(graph.value_count()), channels_(graph.value_count()) {
  size_t elements = 0;
  for (const ValueId id : graph.live_values()) {
    const Value& value = graph.value(id);
    first_[static_cast<size_t>(id)] = elements;
    const bool variable = index_.fixed_constant(id) == nullptr && value.type.dtype == DType::Float;
    if (!variable || !value.type.ranked() || value.type.rank() < 2) continue;
    const Dim& dim = (*value.type.shape)[1];
    if (!dim.known()) continue;
    channels_[static_cast<size_t>(id)] = dim.value;
    elements += static_cast<size_t>(dim.value);
  }
  parent_.resize(elements);
  std::iota(parent_.begin(), parent_.end(), size_t{0});
  fixed_.resize(elements);
}

int64_t ChannelLinks::dim(ValueId id, size_t i) const {
  const TensorType& type = graph_.value(id).type;
  return type.ranked() && i < type.shape->size() && (*type.shape)[i].known() ? (*type.shape)[i].value : -1;
}

int64_t ChannelLinks::rank(ValueId id) const {
  if (id == ValueId::None || !graph_.value(id).type.ranked()) return -1;
  return graph_.value(id).type.rank();
}

std::optional<std::vector<int64_t>> ChannelLinks::list(const Node& node, std::string_view attribute,
                                                       size_t input) const {
  if (node.find_attribute(attribute) != nullptr) return node.ints_or(attribute, {});
  if (node.input(input) == ValueId::None) return std::vector<int64_t>{};
  const Tensor* content = constant(node.inputs[input]);
  if (content == nullptr) return std::nullopt;
  return to_vector<int64_t>(*content);
}

std::optional<float> ChannelLinks::number(const Node& node, std::string_view attribute, size_t input,
                                          float fallback) const {
  if (node.find_attribute(attribute) != nullptr) return node.float_or(attribute, fallback);
  if (node.input(input) == ValueId::None) return fallback;
  const Tensor* content = constant(node.inputs[input]);
  if (content == nullptr || content->size() != 1) return std::nullopt;
  return to_vector<float>(*content)[0];
}

size_t ChannelLinks::root(size_t element) {
  while (parent_[element] != element) element = parent_[element] = parent_[parent_[element]];
  return element;
}

void ChannelLinks::join(ValueId a, int64_t channel_a, ValueId b, int64_t channel_b) {
  const size_t x = root(first_[static_cast<size_t>(a)] + static_cast<size_t>(channel_a));
  const size_t y = root(first_[static_cast<size_t>(b)] + static_cast<size_t>(channel_b));
  parent_[y] = x;
  if (fixed_[y]) fixed_[x] = true;
}

bool ChannelLinks::join_all(ValueId a, ValueId b) {
  if (channels(a) == 0 || channels(a) != channels(b)) return false;
  for (int64_t c = 0; c < channels(a); ++c) join(a, c, b, c);
  return true;
}

void ChannelLinks::fix(ValueId id) {
  for (int64_t c = 0; c < channels(id); ++c) {
    fixed_[root(first_[static_cast<size_t>(id)] + static_cast<size_t>(c))] = true;
  }
}

// --- ChannelGroups

ChannelGroups::ChannelGroups(const Graph& graph) {
  ChannelLinks links(graph);
  for (const ValueId id : graph.inputs()) links.fix(id);
  for (const ValueId id : graph.outputs()) links.fix(id);
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    const channel_links::Rule rule = channel_links::find_rule(node);
    if (rule == nullptr || !rule(links, static_cast<int>(i))) {
      for (const ValueId id : node.inputs) links.fix(id);
      for (const ValueId id : node.outputs) links.fix(id);
    }
    for (const ValueId id : node.captures) links.fix(id);
  }

  first_ = links.first();
  channels_ = links.channel_counts();
  layers_ = std::move(links.layers);
  clips_ = std::move(links.clips);
  constants_ = std::move(links.constants);
  constexpr size_t kNone = static_cast<size_t>(-1);
  size_t elements = 0;
  for (const int64_t channels : channels_) elements += static_cast<size_t>(channels);
  std::vector<size_t> group_of_root(elements, kNone);
  groups_.resize(elements);
  for (size_t element = 0; element < elements; ++element) {
    const size_t root = links.root(element);
    if (group_of_root[root] == kNone) {
      group_of_root[root] = fixed_.size();
      fixed_.push_back(links.fixed_root(root));
    }
    groups_[element] = group_of_root[root];
  }
}

// --- scale_channels

namespace {

class Scaler {
 public:
  Scaler(Graph graph, const ChannelGroups& groups, const std::vector<double>& factors)
      : graph_(std::move(graph)), index_(graph_, keep_), groups_(groups), factors_(factors) {}

  Graph run() {
    for (const ChannelGroups::Layer& layer : groups_.layers()) scale(layer);
    for (const ChannelGroups::SummedConstant& constant : groups_.constants()) scale(constant);
    return std::move(graph_);
  }

 private:
  double factor(ValueId id, int64_t channel) const { return factors_[groups_.group(id, channel)]; }
  bool scaled(ValueId id) const {
    for (int64_t c = 0; c < groups_.channels(id); ++c) {
      if (factor(id, c) != 1) return true;
    }
    return false;
  }

  void scale(const ChannelGroups::Layer& layer) {
    Node& node = graph_.nodes()[static_cast<size_t>(layer.node)];
    if (scaled(layer.output) || scaled(layer.input)) {
      const Tensor& weights = *graph_.value(node.inputs[1]).constant;
      Tensor result(DType::Float, weights.shape());
      const std::span<const float> from = weights.data<float>();
      const std::span<float> to = result.mutable_data<float>();
      layer.layout.for_each([&](int64_t out, int64_t in, int64_t offset) {
        const double by = factor(layer.output, out) / factor(layer.input, in);
        for (int64_t k = offset; k < offset + layer.layout.inner; ++k) {
          const auto at = static_cast<size_t>(k);
          to[at] = static_cast<float>(from[at] * by);
        }
      });
      node.inputs[1] = replace_constant(graph_, index_, node.inputs[1], std::move(result));
    }
    if (!scaled(layer.output) || node.is("MatMul") || node.input(2) == ValueId::None) return;
    std::vector<double> bias = *bias_of(index_, node, layer.layout.outputs());
    for (size_t c = 0; c < bias.size(); ++c) bias[c] *= factor(layer.output, static_cast<int64_t>(c));
    set_bias(graph_, index_, node, bias);
  }

  void scale(const ChannelGroups::SummedConstant& constant) {
    Node& node = graph_.nodes()[static_cast<size_t>(constant.node)];
    const ValueId y = node.outputs[0];
    if (!scaled(y)) return;
    const ValueId id = node.inputs[constant.input];
    const Tensor content = *graph_.value(id).constant;
    const auto rank = static_cast<size_t>(graph_.value(y).type.rank());
    Shape shape(rank, 1);
    for (size_t d = 0; d < content.shape().size(); ++d) shape[rank - content.shape().size() + d] = content.shape()[d];
    const bool by_channel = shape[1] != 1;
    int64_t inner = 1;
    for (size_t d = 2; d < rank; ++d) inner *= shape[d];
    shape[1] = groups_.channels(y);
    // As flat as broadcasting allows.
    Shape flat = shape;
    if (flat[0] == 1) flat.erase(flat.begin());
    Tensor result(DType::Float, flat);
    const std::span<const float> from = content.data<float>();
    const std::span<float> to = result.mutable_data<float>();
    for (int64_t i = 0; i < result.size(); ++i) {
      const int64_t channel = i / inner % shape[1];
      const int64_t source = by_channel ? i : i / (inner * shape[1]) * inner + i % inner;
      to[static_cast<size_t>(i)] = static_cast<float>(from[static_cast<size_t>(source)] * factor(y, channel));
    }
    node.inputs[constant.input] = replace_constant(graph_, index_, id, std::move(result));
  }

  Graph graph_;
  const KeepNames keep_;
  const RewriteIndex index_;
  const ChannelGroups& groups_;
  const std::vector<double>& factors_;
};

}  // namespace

Graph scale_channels(Graph graph, const ChannelGroups& groups, const std::vector<double>& factors) {
  return Scaler(std::move(graph), groups, factors).run();
}

}  // namespace halftone::transform
