#include "halftone/transform/channel_noise.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace halftone::transform {
namespace {

constexpr int kSteps = 100;
constexpr double kFirstStep = 0.1;  // of a factor's logarithm
constexpr double kReach = 6;        // deviations, as far as grids of activations reach
constexpr double kMostFactor = 1e4;
// How much further tails reach than those of a Laplace distribution of the same deviation. Measured on MobileNetV2:
// with 0.7 what Clips cut off differently is most of the noise, with 1.5 most factors stay near 1.
constexpr double kTail = 1.2;

size_t entry(int64_t i) { return static_cast<size_t>(i); }

// E[max(x - y, 0)^2], E[max(x - y, 0)] and P(x > y) of a Laplace distribution. Integrals of exp(-|x - centre| / tail) /
// (2 tail).
struct Excess {
  double square, mean, share;
};
Excess excess(double centre, double tail, double y) {
  const double distance = y - centre, rest = std::exp(-std::abs(distance) / tail) / 2;
  if (distance >= 0) return {2 * tail * tail * rest, tail * rest, rest};
  return {distance * distance + 2 * tail * tail * (1 - rest), tail * rest - distance, 1 - rest};
}

}  // namespace

ChannelNoise::ChannelNoise(const Graph& graph, const ChannelGroups& groups, const ValueMoments& moments, Bits bits)
    : graph_(graph),
      groups_(groups),
      moments_(moments),
      importance_(groups.count(), 0.0),
      free_(groups.count(), false) {
  weigh();
  std::vector<double> bound_behind(graph.value_count(), std::numeric_limits<double>::infinity());
  for (const ChannelGroups::BoundedClip& clip : groups.clips()) {
    const Node& node = graph.nodes()[entry(clip.node)];
    bound_behind[static_cast<size_t>(node.outputs[0])] = clip.high;
    const std::vector<ClippedNormal>* known = moments_of(node.inputs[0]);
    Clip& kept = clips_.emplace_back(Clip{node.inputs[0], clip.high, {}, {}});
    for (int64_t c = 0; c < groups.channels(node.inputs[0]); ++c) {
      if (known == nullptr) free_[groups.group(node.inputs[0], c)] = false;
      kept.centre.push_back(known == nullptr ? clip.high : (*known)[entry(c)].mean());
      kept.tail.push_back(
          std::max(1e-9, known == nullptr ? 1 : (*known)[entry(c)].deviation() / std::numbers::sqrt2 * kTail));
    }
  }
  for (const ChannelGroups::Layer& layer : groups.layers()) add_weights(layer, bits);
  const GraphIndex index(graph);
  for (const Node& node : graph.nodes()) {
    const bool moves = node.is("Flatten") || node.is("Reshape") || node.is("Identity") || node.is("MaxPool");
    if (moves || node.output(0) == ValueId::None || groups.channels(node.outputs[0]) == 0) continue;
    const int reader = index.sole_consumer(node.outputs[0]);
    if (reader >= 0 && (graph.nodes()[entry(reader)].is("Relu") || graph.nodes()[entry(reader)].is("Clip"))) continue;
    add_activation(node.outputs[0], bound_behind[static_cast<size_t>(node.outputs[0])], bits);
  }
}

const std::vector<ClippedNormal>* ChannelNoise::moments_of(ValueId id) const {
  const auto found = moments_.find(graph_.value(id).name);
  if (found == moments_.end() || static_cast<int64_t>(found->second.size()) != groups_.channels(id)) return nullptr;
  return &found->second;
}

double ChannelNoise::variance(ValueId id, int64_t channel) const {
  const std::vector<ClippedNormal>* known = moments_of(id);
  if (known == nullptr) return 1;
  const double deviation = (*known)[entry(channel)].deviation();
  return deviation * deviation;
}

// What noise of a channel does to each layer that reads it, relative to what the layer makes without.
void ChannelNoise::weigh() {
  std::vector<bool> made(groups_.count()), read(groups_.count());
  for (const ChannelGroups::Layer& layer : groups_.layers()) {
    const WeightLayout& layout = layer.layout;
    const std::span<const float> weights =
        graph_.value(graph_.nodes()[entry(layer.node)].inputs[1]).constant->data<float>();
    const auto energy = [&](int64_t offset) {
      double sum = 0;
      for (int64_t k = offset; k < offset + layout.inner; ++k) sum += double{weights[entry(k)]} * weights[entry(k)];
      return sum;
    };
    std::vector<double> signal(entry(layout.outputs()), 0.0);
    if (moments_of(layer.output) != nullptr) {
      for (size_t o = 0; o < signal.size(); ++o) signal[o] = variance(layer.output, static_cast<int64_t>(o));
    } else {
      layout.for_each([&](int64_t out, int64_t in, int64_t offset) {
        signal[entry(out)] += energy(offset) * variance(layer.input, in);
      });
    }
    // Channels that hardly ever change would count without limit.
    double mean = 0;
    for (const double each : signal) mean += each / static_cast<double>(signal.size());
    const double least = std::max(1e-30, 1e-4 * mean);
    layout.for_each([&](int64_t out, int64_t in, int64_t offset) {
      importance_[groups_.group(layer.input, in)] +=
          energy(offset) / std::max(signal[entry(out)], least) / static_cast<double>(signal.size());
    });
    for (int64_t c = 0; c < layout.outputs(); ++c) made[groups_.group(layer.output, c)] = true;
    for (int64_t c = 0; c < layout.inputs(); ++c) read[groups_.group(layer.input, c)] = true;
  }
  for (size_t g = 0; g < free_.size(); ++g) free_[g] = !groups_.fixed(g) && made[g] && read[g];
}

void ChannelNoise::add_weights(const ChannelGroups::Layer& layer, Bits bits) {
  const WeightLayout& layout = layer.layout;
  Weights kept{&layer, {}, {}, {}, {}, 12 * std::pow(std::exp2(bits.weights - 1) - 1, 2)};
  if (bits.weights == 1) kept.steps = 12;
  const std::span<const float> weights =
      graph_.value(graph_.nodes()[entry(layer.node)].inputs[1]).constant->data<float>();
  layout.for_each([&](int64_t, int64_t, int64_t offset) {
    double largest = 0;
    for (int64_t k = offset; k < offset + layout.inner; ++k)
      largest = std::max(largest, std::abs(double{weights[entry(k)]}));
    kept.largest.push_back(largest);
    kept.power.push_back(std::pow(largest, kPower));
  });
  for (int64_t c = 0; c < layout.inputs(); ++c) {
    kept.variance.push_back(static_cast<double>(layout.inner) * variance(layer.input, c));
  }
  // What a Relu or Clip behind the layer cuts off goes no further.
  const GraphIndex index(graph_);
  const int reader = index.sole_consumer(layer.output);
  const std::vector<ClippedNormal>* behind = nullptr;
  if (reader >= 0 && (graph_.nodes()[entry(reader)].is("Relu") || graph_.nodes()[entry(reader)].is("Clip")))
    behind = moments_of(graph_.nodes()[entry(reader)].outputs[0]);
  for (int64_t c = 0; c < layout.outputs(); ++c) {
    const size_t g = groups_.group(layer.output, c);
    double importance = importance_[g];
    if (importance == 0) {
      // The network's outputs are as important as anything that is made of them would be.
      importance = 1 / (static_cast<double>(layout.outputs()) * std::max(1e-30, variance(layer.output, c)));
    }
    if (behind != nullptr) {
      const ClippedNormal& x = (*behind)[entry(c)];
      const auto below = [&](double y) {
        return std::isinf(y) ? (y > 0 ? 1.0 : 0.0) : std::erfc((x.centre - y) / (x.spread * std::numbers::sqrt2)) / 2;
      };
      if (x.spread > 0) importance *= below(x.high) - below(x.low);
    }
    kept.importance.push_back(importance);
  }
  weights_.push_back(std::move(kept));
}

void ChannelNoise::add_activation(ValueId value, double bound, Bits bits) {
  Activation kept{value, {}, bound, 12 * std::pow(std::exp2(bits.activations) - 1, 2)};
  if (std::isinf(bound)) {
    const std::vector<ClippedNormal>* known = moments_of(value);
    if (known == nullptr) return;
    for (const ClippedNormal& channel : *known) {
      const Range range = channel.range(kReach);
      kept.width.push_back(range.low < 0 ? 2 * std::max(-range.low, range.high) : range.high);
    }
  }
  activations_.push_back(std::move(kept));
}

double ChannelNoise::of_weights(const Weights& weights, const std::vector<double>& factors,
                                std::vector<double>* gradient) const {
  const ChannelGroups::Layer& layer = *weights.layer;
  const WeightLayout& layout = layer.layout;
  const size_t outputs = entry(layout.outputs()), inputs = entry(layout.inputs()), blocks = entry(layout.groups);
  // By block of channels that are connected with one another.
  std::vector<double> noise_in(blocks), noise_out(blocks);
  std::vector<double> out(outputs), in(inputs);
  for (size_t o = 0; o < outputs; ++o) {
    const double t = factors[group(layer.output, o)];
    noise_out[o / (outputs / blocks)] += weights.importance[o] / (t * t);
    out[o] = gradient == nullptr ? t : std::pow(t, kPower);
  }
  for (size_t i = 0; i < inputs; ++i) {
    const double t = factors[group(layer.input, i)];
    noise_in[i / (inputs / blocks)] += weights.variance[i] * t * t;
    in[i] = gradient == nullptr ? 1 / t : std::pow(t, -kPower);
  }
  double noise = 0;
  for (size_t b = 0; b < blocks; ++b) noise += noise_in[b] * noise_out[b];
  size_t pair = 0;
  if (gradient == nullptr) {
    double largest = 0;
    layout.for_each([&](int64_t o, int64_t i, int64_t) {
      largest = std::max(largest, weights.largest[pair++] * out[entry(o)] * in[entry(i)]);
    });
    return noise * largest * largest / weights.steps;
  }
  std::vector<double> made(outputs), read(inputs);
  layout.for_each([&](int64_t o, int64_t i, int64_t) {
    const double share = weights.power[pair++] * out[entry(o)] * in[entry(i)];
    made[entry(o)] += share;
    read[entry(i)] += share;
  });
  double sum = 0;
  for (const double each : made) sum += each;
  if (!(sum > 0)) return 0;
  const double size = std::pow(sum, 2 / kPower) / weights.steps, total = size * noise;
  for (size_t o = 0; o < outputs; ++o) {
    const double t = factors[group(layer.output, o)];
    (*gradient)[group(layer.output, o)] +=
        2 * (total * made[o] / sum - size * weights.importance[o] / (t * t) * noise_in[o / (outputs / blocks)]);
  }
  for (size_t i = 0; i < inputs; ++i) {
    const double t = factors[group(layer.input, i)];
    (*gradient)[group(layer.input, i)] -=
        2 * (total * read[i] / sum - size * weights.variance[i] * t * t * noise_out[i / (inputs / blocks)]);
  }
  return total;
}

double ChannelNoise::of_activation(const Activation& value, const std::vector<double>& factors,
                                   std::vector<double>* gradient) const {
  const size_t channels = entry(groups_.channels(value.value));
  double noise = 0, sum = 0, largest = 0;
  std::vector<double> share(channels);
  for (size_t c = 0; c < channels; ++c) {
    const size_t g = group(value.value, c);
    noise += importance_[g] / (factors[g] * factors[g]);
    if (value.width.empty()) continue;
    const double width = value.width[c] * factors[g];
    largest = std::max(largest, width);
    sum += share[c] = gradient == nullptr ? 0 : std::pow(width, kPower);
  }
  const double width = value.width.empty() ? value.bound : (gradient == nullptr ? largest : std::pow(sum, 1 / kPower));
  const double size = width * width / value.steps;
  if (gradient != nullptr && width > 0) {
    for (size_t c = 0; c < channels; ++c) {
      const size_t g = group(value.value, c);
      (*gradient)[g] -= 2 * size * importance_[g] / (factors[g] * factors[g]);
      if (!value.width.empty()) (*gradient)[g] += 2 * size * noise * share[c] / sum;
    }
  }
  return size * noise;
}

double ChannelNoise::of_clip(const Clip& clip, const std::vector<double>& factors,
                             std::vector<double>* gradient) const {
  double total = 0;
  for (size_t c = 0; c < clip.centre.size(); ++c) {
    const size_t g = group(clip.value, c);
    const double bound = clip.high / factors[g];
    const double low = std::min(bound, clip.high), high = std::max(bound, clip.high);
    const Excess at_low = excess(clip.centre[c], clip.tail[c], low),
                 at_high = excess(clip.centre[c], clip.tail[c], high);
    total += importance_[g] * (at_low.square - at_high.square - 2 * (high - low) * at_high.mean);
    if (gradient == nullptr) continue;
    const double slope =
        bound < clip.high ? 2 * bound * (at_low.mean - at_high.mean) : -2 * bound * (high - low) * at_high.share;
    (*gradient)[g] += importance_[g] * slope;
  }
  return total;
}

double ChannelNoise::noise(const std::vector<double>& factors, std::vector<double>* gradient) const {
  double total = 0;
  for (const Weights& layer : weights_) total += of_weights(layer, factors, gradient);
  for (const Activation& value : activations_) total += of_activation(value, factors, gradient);
  for (const Clip& clip : clips_) total += of_clip(clip, factors, gradient);
  return total;
}

double ChannelNoise::of(const std::vector<double>& factors) const { return noise(factors, nullptr); }

std::vector<double> ChannelNoise::least() const {
  constexpr double kForget = 0.9, kForgetSquares = 0.99;
  const std::vector<double> ones(groups_.count(), 1.0);
  std::vector<double> factors = ones, momentum(ones.size(), 0.0), squares(ones.size(), 0.0);
  double keep = 1, keep_squares = 1;
  for (int step = 0; step < kSteps; ++step) {
    std::vector<double> gradient(ones.size(), 0.0);
    const double total = noise(factors, &gradient);
    if (!(total > 0) || !std::isfinite(total)) break;
    keep *= kForget;
    keep_squares *= kForgetSquares;
    const double length = kFirstStep * (1 - static_cast<double>(step) / kSteps);
    for (size_t g = 0; g < factors.size(); ++g) {
      if (!free_[g]) continue;
      const double slope = gradient[g] / total * static_cast<double>(factors.size());
      momentum[g] = kForget * momentum[g] + (1 - kForget) * slope;
      squares[g] = kForgetSquares * squares[g] + (1 - kForgetSquares) * slope * slope;
      const double move = momentum[g] / (1 - keep) / (std::sqrt(squares[g] / (1 - keep_squares)) + 1e-6);
      factors[g] = std::clamp(factors[g] * std::exp(-length * move), 1 / kMostFactor, kMostFactor);
    }
  }
  return of(factors) < of(ones) ? factors : ones;
}

}  // namespace halftone::transform
