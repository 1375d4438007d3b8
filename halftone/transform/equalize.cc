#include "halftone/transform/equalize.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "halftone/graph/op_table.h"
#include "halftone/transform/channel_groups.h"
#include "halftone/transform/channel_noise.h"

namespace halftone::transform {
namespace {

constexpr int kMostIterations = 200;
constexpr double kConverged = 1e-6;  // of a factor's logarithm

size_t at(int64_t i) { return static_cast<size_t>(i); }

Graph typed(Graph graph) {
  infer_shapes(graph);
  return graph;
}

class Equalizer {
 public:
  Equalizer(Graph graph, const EqualizeOptions& options)
      : options_(options),
        graph_(typed(std::move(graph))),
        groups_(graph_),
        factors_(groups_.count(), 1.0),
        least_(groups_.count(), 0.0),
        most_(groups_.count(), std::numeric_limits<double>::infinity()) {
    for (size_t g = 0; g < groups_.count(); ++g) {
      if (groups_.fixed(g)) pin(g);
    }
    if (options_.upper_bounds == UpperBounds::Keep) {
      for (const ChannelGroups::BoundedClip& clip : groups_.clips()) limit(clip);
    }
  }

  Equalization run() {
    Equalization result;
    if (options_.balance == Balance::Noise)
      minimize_noise(result);
    else if (options_.balance == Balance::Weights)
      result.iterations = balance_weights();
    else
      raise_activations();
    for (const ValueId id : graph_.live_values()) note_factors(id, result);
    for (const ChannelGroups::BoundedClip& clip : groups_.clips()) {
      if (options_.upper_bounds == UpperBounds::Keep) result.scaled_below_bounds += count_scaled(clip);
    }
    result.graph = scale_channels(graph_, groups_, factors_);
    if (options_.upper_bounds != UpperBounds::Keep) replace_clips(result.graph);
    return result;
  }

 private:
  const Node& node(int i) const { return graph_.nodes()[at(i)]; }
  void pin(size_t group) { least_[group] = most_[group] = 1; }
  size_t group(ValueId id, int64_t channel) const { return groups_.group(id, channel); }
  const std::vector<Range>* ranges_of(ValueId id) const {
    const auto found = options_.ranges.find(graph_.value(id).name);
    if (found == options_.ranges.end() || static_cast<int64_t>(found->second.size()) != groups_.channels(id))
      return nullptr;
    return &found->second;
  }

  // Channels that reach the bound saturate there before and after only if nothing is scaled.
  void limit(const ChannelGroups::BoundedClip& clip) {
    const ValueId x = node(clip.node).inputs[0];
    const std::vector<Range>* ranges = ranges_of(x);
    for (int64_t c = 0; c < groups_.channels(x); ++c) {
      const size_t g = group(x, c);
      const double reach = ranges == nullptr ? clip.high : (*ranges)[at(c)].high;
      if (!(reach < clip.high))
        pin(g);
      else if (reach > 0 && least_[g] != most_[g])
        most_[g] = std::min(most_[g], std::max(1.0, clip.high / reach));
    }
  }

  // --- Balance::Weights

  // The largest weight between each output and input channel that it connects, in the tensor's order.
  struct PairMaxima {
    const ChannelGroups::Layer* layer;
    std::vector<float> largest;
  };

  std::vector<PairMaxima> pair_maxima() const {
    std::vector<PairMaxima> all;
    for (const ChannelGroups::Layer& layer : groups_.layers()) {
      PairMaxima pairs{&layer, {}};
      const std::span<const float> weights = graph_.value(node(layer.node).inputs[1]).constant->data<float>();
      layer.layout.for_each([&](int64_t, int64_t, int64_t offset) {
        float largest = 0;
        for (int64_t k = offset; k < offset + layer.layout.inner; ++k)
          largest = std::max(largest, std::abs(weights[at(k)]));
        pairs.largest.push_back(largest);
      });
      all.push_back(std::move(pairs));
    }
    return all;
  }

  // Sums of logarithms of ranges, for geometric means.
  struct Means {
    explicit Means(size_t groups) : sum(groups), count(groups) {}
    std::vector<double> sum;
    std::vector<int> count;
    void add(size_t group, double range) {
      if (!(range > 0)) return;
      sum[group] += std::log(range);
      ++count[group];
    }
    double mean(size_t group) const { return sum[group] / count[group]; }
  };

  void add_ranges(const PairMaxima& pairs, Means& makers, Means& readers) const {
    const ChannelGroups::Layer& layer = *pairs.layer;
    std::vector<double> made(at(layer.layout.outputs())), read(at(layer.layout.inputs()));
    std::vector<double> out_factors(made.size()), in_factors(read.size());
    for (size_t c = 0; c < made.size(); ++c) out_factors[c] = factors_[group(layer.output, static_cast<int64_t>(c))];
    for (size_t c = 0; c < read.size(); ++c) in_factors[c] = 1 / factors_[group(layer.input, static_cast<int64_t>(c))];
    size_t pair = 0;
    layer.layout.for_each([&](int64_t out, int64_t in, int64_t) {
      const double largest = pairs.largest[pair++] * out_factors[at(out)] * in_factors[at(in)];
      made[at(out)] = std::max(made[at(out)], largest);
      read[at(in)] = std::max(read[at(in)], largest);
    });
    for (size_t c = 0; c < made.size(); ++c) makers.add(group(layer.output, static_cast<int64_t>(c)), made[c]);
    for (size_t c = 0; c < read.size(); ++c) readers.add(group(layer.input, static_cast<int64_t>(c)), read[c]);
  }

  // All channels move at once by half of what separates their ranges, which converges as the ranges are maxima of
  // products of factors.
  int balance_weights() {
    const std::vector<PairMaxima> layers = pair_maxima();
    for (int iteration = 1; iteration <= kMostIterations; ++iteration) {
      Means makers(factors_.size()), readers(factors_.size());
      for (const PairMaxima& pairs : layers) add_ranges(pairs, makers, readers);
      double moved = 0;
      for (size_t g = 0; g < factors_.size(); ++g) {
        if (least_[g] == most_[g] || makers.count[g] == 0 || readers.count[g] == 0) continue;
        const double wanted = factors_[g] * std::exp((readers.mean(g) - makers.mean(g)) / 2);
        const double next = std::clamp(wanted, least_[g], most_[g]);
        moved = std::max(moved, std::abs(std::log(next / factors_[g])));
        factors_[g] = next;
      }
      if (moved < kConverged) return iteration;
    }
    return kMostIterations;
  }

  // --- Balance::Noise

  void minimize_noise(Equalization& result) {
    const ChannelNoise noise(graph_, groups_, options_.moments, {options_.weight_bits, options_.activation_bits});
    result.noise_before = noise.of(factors_);
    factors_ = noise.least();
    result.noise_after = noise.of(factors_);
  }

  // --- Balance::Activations

  void raise_activations() {
    // Of each group, the largest share of its value's range that a channel takes up.
    std::vector<double> share(factors_.size());
    std::vector<double> most_of_clip(graph_.value_count(), std::numeric_limits<double>::infinity());
    for (const ChannelGroups::BoundedClip& clip : groups_.clips())
      most_of_clip[static_cast<size_t>(node(clip.node).inputs[0])] = clip.high;
    for (const ValueId id : graph_.live_values()) {
      const std::vector<Range>* ranges = groups_.channels(id) == 0 ? nullptr : ranges_of(id);
      if (ranges == nullptr) continue;
      // What lies below zero in front of a Clip is cut off whatever its scale.
      const double bound = most_of_clip[static_cast<size_t>(id)];
      const auto extent = [&](const Range& range) {
        return std::isinf(bound) ? double{std::max(-range.low, range.high)}
                                 : std::clamp(double{range.high}, 0.0, bound);
      };
      double widest = 0;
      for (const Range& range : *ranges) widest = std::max(widest, extent(range));
      if (!(widest > 0)) continue;
      for (int64_t c = 0; c < groups_.channels(id); ++c) {
        const size_t g = group(id, c);
        share[g] = std::max(share[g], extent((*ranges)[at(c)]) / widest);
      }
    }
    std::vector<bool> made(factors_.size()), read(factors_.size()), read_densely(factors_.size());
    for (const ChannelGroups::Layer& layer : groups_.layers()) {
      for (int64_t c = 0; c < layer.layout.outputs(); ++c) made[group(layer.output, c)] = true;
      for (int64_t c = 0; c < layer.layout.inputs(); ++c) {
        read[group(layer.input, c)] = true;
        if (!layer.layout.depthwise()) read_densely[group(layer.input, c)] = true;
      }
    }
    for (size_t g = 0; g < factors_.size(); ++g) {
      if (least_[g] == most_[g] || !made[g] || !read[g] || !(share[g] > 0)) continue;
      const double wanted = std::pow(share[g], read_densely[g] ? -options_.exponent : -1.0);
      factors_[g] = std::clamp(wanted, least_[g], most_[g]);
    }
  }

  // --- the result

  std::vector<float> factors_of(ValueId id) const {
    std::vector<float> factors(at(groups_.channels(id)));
    for (size_t c = 0; c < factors.size(); ++c)
      factors[c] = static_cast<float>(factors_[group(id, static_cast<int64_t>(c))]);
    return factors;
  }
  bool scaled(ValueId id) const {
    const std::vector<float> factors = factors_of(id);
    return std::any_of(factors.begin(), factors.end(), [](float f) { return f != 1; });
  }
  void note_factors(ValueId id, Equalization& result) const {
    if (scaled(id)) result.factors[graph_.value(id).name] = factors_of(id);
  }
  int64_t count_scaled(const ChannelGroups::BoundedClip& clip) const {
    const std::vector<float> factors = factors_of(node(clip.node).inputs[0]);
    return std::count_if(factors.begin(), factors.end(), [](float f) { return f != 1; });
  }

  // Rewrite Clip(x, 0, high) to Relu(x), or to Min(Relu(x), high * factors).
  void replace_clips(Graph& graph) const {
    std::vector<Node> nodes;
    size_t next = 0;
    for (size_t i = 0; i < graph.nodes().size(); ++i) {
      Node& each = graph.nodes()[i];
      const bool listed = next < groups_.clips().size() && groups_.clips()[next].node == static_cast<int>(i);
      const float high = listed ? groups_.clips()[next++].high : 0;
      if (!listed || !scaled(each.inputs[0])) {
        nodes.push_back(std::move(each));
        continue;
      }
      Node relu = each;
      relu.op_type = "Relu";
      relu.attributes.clear();
      relu.inputs.resize(1);
      if (options_.upper_bounds == UpperBounds::Replace) {
        nodes.push_back(std::move(relu));
        continue;
      }
      const Value y = graph.value(each.outputs[0]);
      std::vector<float> bounds = factors_of(each.inputs[0]);
      for (float& bound : bounds) bound *= high;
      Shape shape(at(y.type.rank() - 1), 1);
      shape[0] = static_cast<int64_t>(bounds.size());
      Node min = relu;
      min.op_type = "Min";
      if (!min.name.empty()) min.name += "_bound";
      relu.outputs = {graph.add_value(graph.fresh_name(y.name + "_unbounded"), y.type)};
      min.inputs = {relu.outputs[0],
                    graph.add_constant(graph.fresh_name(y.name + "_bound"), Tensor::from(shape, bounds))};
      nodes.push_back(std::move(relu));
      nodes.push_back(std::move(min));
    }
    graph.nodes() = std::move(nodes);
    graph.remove_dead();
  }

  const EqualizeOptions& options_;
  const Graph graph_;
  const ChannelGroups groups_;
  std::vector<double> factors_;       // by group
  std::vector<double> least_, most_;  // that they may be
};

// Multiplies numbers of channels with those of the same name and as many.
void multiply(std::vector<float>& numbers, const std::vector<float>& factors) {
  if (numbers.size() != factors.size()) return;
  for (size_t c = 0; c < numbers.size(); ++c) numbers[c] *= factors[c];
}

}  // namespace

ChannelRanges expected_ranges(const ValueMoments& moments, double deviations) {
  ChannelRanges ranges;
  for (const auto& [name, channels] : moments) {
    std::vector<Range>& of_value = ranges[name];
    for (const ClippedNormal& channel : channels) of_value.push_back(channel.range(deviations));
  }
  return ranges;
}

Equalization equalize(Graph graph, const EqualizeOptions& options) {
  return Equalizer(std::move(graph), options).run();
}

NormStatistics scale(NormStatistics norms, const Equalization& equalization) {
  for (const auto& [name, factors] : equalization.factors) {
    const auto found = norms.find(name);
    if (found == norms.end()) continue;
    multiply(found->second.mean, factors);
    multiply(found->second.deviation, factors);
  }
  return norms;
}

}  // namespace halftone::transform
