#include "halftone/transform/absorb_bias.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "halftone/transform/layer_weights.h"

namespace halftone::transform {
namespace {

class Absorber {
 public:
  Absorber(Graph graph, NormStatistics norms, double sigmas)
      : result_{std::move(graph), std::move(norms)}, sigmas_(sigmas) {}

  Absorption run() {
    for (size_t i = 0; i < graph().nodes().size(); ++i) {
      // Biases that are added make a snapshot stale.
      const RewriteIndex index(graph(), keep_);
      try_activation(index, i);
    }
    return std::move(result_);
  }

 private:
  Graph& graph() { return result_.graph; }
  Node& node(int i) { return graph().nodes()[static_cast<size_t>(i)]; }

  // The upper bound of a Relu or Clip(0, high), or nullopt for another node.
  std::optional<float> upper_bound(const RewriteIndex& index, const Node& each) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    if (each.is("Relu")) return kInfinity;
    if (!each.is("Clip") || each.find_attribute("min") != nullptr || each.find_attribute("max") != nullptr)
      return std::nullopt;
    const auto bound = [&](size_t input, float fallback) {
      const Tensor* content = index.fixed_constant(each.input(input));
      if (content != nullptr && content->size() == 1) return to_vector<float>(*content)[0];
      return each.input(input) == ValueId::None ? fallback : std::nanf("");
    };
    const float high = bound(2, kInfinity);
    return bound(1, -kInfinity) == 0 && high > 0 ? std::optional(high) : std::nullopt;
  }

  // Layers that read `id`, each reading channel c of the value at its inputs c * k ... c * k + k - 1; false when
  // something else reads it too.
  bool find_readers(const RewriteIndex& index, ValueId id, std::vector<int>& readers) {
    if (index.is_graph_output(id) || index.is_captured(id)) return false;
    const std::vector<int>& consumers = index.consumers(id);
    return std::all_of(consumers.begin(), consumers.end(), [&](int i) {
      const Node& each = node(i);
      if (each.input(0) != id || std::count(each.inputs.begin(), each.inputs.end(), id) != 1) return false;
      if (hands_shift_on(each)) return find_readers(index, each.outputs[0], readers);
      readers.push_back(i);
      return takes_shift(index, each);
    });
  }

  static bool unpadded(const Node& each) {
    const std::vector<int64_t> pads = each.ints_or("pads", {});
    const std::string automatic = each.string_or("auto_pad", "NOTSET");
    return (automatic == "NOTSET" || automatic == "VALID") &&
           std::all_of(pads.begin(), pads.end(), [](int64_t pad) { return pad == 0; });
  }

  static bool hands_shift_on(const Node& each) {
    if (each.outputs.size() != 1) return false;
    if (each.is("Flatten")) return each.int_or("axis", 1) == 1;
    if (each.is("AveragePool")) return unpadded(each) && each.int_or("ceil_mode", 0) == 0;
    return each.is("GlobalAveragePool") || each.is("GlobalMaxPool") || each.is("MaxPool") || each.is("Identity");
  }

  bool takes_shift(const RewriteIndex& index, const Node& each) {
    if (!(each.is("Conv") && unpadded(each)) && !(each.is("Gemm") && each.int_or("transA", 0) == 0)) return false;
    const Tensor* weights = index.fixed_constant(each.input(1));
    if (weights == nullptr || weights->dtype() != DType::Float) return false;
    const std::optional<WeightLayout> layout = weight_layout(each, weights->shape());
    return layout && bias_of(index, each, layout->outputs());
  }

  void try_activation(const RewriteIndex& index, size_t i) {
    const Node& activation = graph().nodes()[i];
    const std::optional<float> high = upper_bound(index, activation);
    if (!high || activation.output(0) == ValueId::None) return;
    const ValueId y = activation.inputs[0];
    const int maker = index.producer(y);
    const auto found = result_.norms.find(graph().value(y).name);
    if (maker < 0 || index.sole_consumer(y) != static_cast<int>(i) || found == result_.norms.end()) return;
    ChannelMoments& moments = found->second;
    const auto channels = static_cast<int64_t>(moments.mean.size());
    const Node& layer = node(maker);
    if (!layer.is("Conv") && !layer.is("ConvTranspose") && !layer.is("Gemm")) return;
    const Tensor* made_by = index.fixed_constant(layer.input(1));
    const std::optional<WeightLayout> layout =
        made_by == nullptr ? std::nullopt : weight_layout(layer, made_by->shape());
    if (!layout || layout->outputs() != channels) return;
    std::optional<std::vector<double>> bias = bias_of(index, layer, channels);
    std::vector<int> readers;
    if (!bias || !find_readers(index, activation.outputs[0], readers) || readers.empty()) return;
    const bool whole_channels = std::all_of(readers.begin(), readers.end(), [&](int r) {
      return weight_layout(node(r), weights_of(r).shape())->inputs() % channels == 0;
    });
    if (!whole_channels) return;

    std::vector<double> taken(bias->size());
    for (size_t c = 0; c < taken.size(); ++c) {
      const double spread = sigmas_ * moments.deviation[c];
      if (moments.mean[c] + spread <= *high) taken[c] = std::max(0.0, moments.mean[c] - spread);
      if (taken[c] > 0) ++result_.channels;
      result_.largest = std::max(result_.largest, static_cast<float>(taken[c]));
      (*bias)[c] -= taken[c];
      moments.mean[c] -= static_cast<float>(taken[c]);
    }
    if (std::all_of(taken.begin(), taken.end(), [](double c) { return c == 0; })) return;
    for (const int r : readers) give(index, r, taken);
    set_bias(graph(), index, node(maker), *bias);
  }

  const Tensor& weights_of(int layer) { return *graph().value(node(layer).inputs[1]).constant; }

  void give(const RewriteIndex& index, int reader, const std::vector<double>& taken) {
    const Tensor weights = weights_of(reader);
    const WeightLayout layout = *weight_layout(node(reader), weights.shape());
    std::vector<double> bias = *bias_of(index, node(reader), layout.outputs());
    const int64_t inputs_per_channel = layout.inputs() / static_cast<int64_t>(taken.size());
    const double alpha = node(reader).is("Gemm") ? node(reader).float_or("alpha", 1.0f) : 1.0;
    layout.for_each([&](int64_t out, int64_t in, int64_t offset) {
      double sum = 0;
      for (int64_t k = offset; k < offset + layout.inner; ++k) sum += weights.data<float>()[static_cast<size_t>(k)];
      bias[static_cast<size_t>(out)] += alpha * sum * taken[static_cast<size_t>(in / inputs_per_channel)];
    });
    set_bias(graph(), index, node(reader), bias);
  }

  Absorption result_;
  const KeepNames keep_;
  const double sigmas_;
};

}  // namespace

Absorption absorb_bias(Graph graph, NormStatistics norms, double sigmas) {
  return Absorber(std::move(graph), std::move(norms), sigmas).run();
}

}  // namespace halftone::transform
