#include "halftone/ptq/weights/correct.h"

#include <cmath>

#include "halftone/base/error.h"
#include "halftone/ptq/bias/correct.h"
#include "halftone/ptq/channel_statistics.h"
#include "halftone/ptq/weights/scale_channels.h"

namespace halftone::ptq {
namespace {

const Tensor& constant_of(const Graph& graph, const std::string& name) {
  return *graph.value(graph.find(name)).constant;
}

// The layer's weights as they were before anything rounded them.
const Tensor& real_weights(const Workbench& bench, const WeightedLayer& layer) {
  const Tensor& present = constant_of(bench.model.graph, layer.weights);
  const ValueId id = bench.reference.find(layer.weights);
  if (id == ValueId::None || !bench.reference.value(id).constant) return present;
  const Tensor& real = *bench.reference.value(id).constant;
  return real.shape() == present.shape() ? real : present;
}

struct WeightMoments {
  std::vector<double> mean, norm;  // by output channel; the norm is that of the difference from the mean
};

WeightMoments moments_of(const Tensor& weights, const transform::WeightLayout& layout) {
  const auto channels = static_cast<size_t>(layout.outputs());
  const float* numbers = weights.data<float>().data();
  const auto each = [&](auto&& f) {
    layout.for_each([&](int64_t output, int64_t, int64_t offset) {
      for (int64_t k = 0; k < layout.inner; ++k) f(static_cast<size_t>(output), double{numbers[offset + k]});
    });
  };
  WeightMoments moments{std::vector<double>(channels, 0.0), std::vector<double>(channels, 0.0)};
  std::vector<double> count(channels, 0.0);
  each([&](size_t c, double w) {
    moments.mean[c] += w;
    count[c] += 1;
  });
  for (size_t c = 0; c < channels; ++c) moments.mean[c] /= count[c];
  each([&](size_t c, double w) { moments.norm[c] += (w - moments.mean[c]) * (w - moments.mean[c]); });
  for (double& norm : moments.norm) norm = std::sqrt(norm);
  return moments;
}

// The mean over positions of the sum of the inputs that each output channel's weights are multiplied with.
std::vector<double> mean_input_sums(const ChannelStatistics& inputs, const transform::WeightLayout& layout) {
  std::vector<double> sums(static_cast<size_t>(layout.outputs()), 0.0);
  layout.for_each([&](int64_t output, int64_t input, int64_t) {
    sums[static_cast<size_t>(output)] += static_cast<double>(layout.inner) * inputs.mean(static_cast<size_t>(input));
  });
  return sums;
}

}  // namespace

void correct_weights(Workbench& bench, std::string_view pattern, int64_t images) {
  const std::vector<WeightedLayer> layers = weighted_layers(bench.model, pattern);
  const auto input_of = [&](const WeightedLayer& layer) -> const std::string& {
    const Graph& graph = bench.model.graph;
    return graph.value(graph.nodes()[static_cast<size_t>(layer.node)].input(0)).name;
  };
  ValueNodes inputs;
  for (const WeightedLayer& layer : layers) {
    if (bench.reference.find(input_of(layer)) != ValueId::None) {
      inputs[input_of(layer)] = &bench.model.graph.nodes()[static_cast<size_t>(layer.node)];
    }
  }
  const StatisticsByValue statistics =
      statistics_of(bench.reference, inputs, bench.required_samples("correct_weights").kept(images), *bench.team);

  for (const WeightedLayer& layer : layers) {
    const WeightMoments real = moments_of(real_weights(bench, layer), layer.layout);
    const auto rounded = [&] {
      const QuantParams& params = bench.model.encodings.find(layer.weights)->second.params;
      return moments_of(fake_quantize(constant_of(bench.model.graph, layer.weights), params), layer.layout);
    };
    if (has_own_scales(bench.model, layer)) {
      const WeightMoments before = rounded();
      std::vector<double> factors(real.norm.size(), 1.0);
      for (size_t c = 0; c < factors.size(); ++c) {
        if (real.norm[c] > 0 && before.norm[c] > 0) factors[c] = real.norm[c] / before.norm[c];
      }
      scale_channels(bench.model, layer, factors, {&bench.model.graph});
    }
    const auto input = statistics.find(input_of(layer));
    if (input == statistics.end() || static_cast<int64_t>(input->second.channels()) != layer.layout.inputs()) continue;
    std::vector<double> correction = mean_input_sums(input->second, layer.layout);
    const WeightMoments after = rounded();
    for (size_t c = 0; c < correction.size(); ++c) correction[c] *= real.mean[c] - after.mean[c];
    add_to_bias(bench.model, layer, correction, {&bench.model.graph});
  }
}

void reestimate_batch_norm(Workbench& bench, std::string_view pattern, int64_t images) {
  std::vector<WeightedLayer> layers = weighted_layers(bench.model, pattern);
  std::erase_if(layers, [&](const WeightedLayer& l) { return bench.reference.find(l.output) == ValueId::None; });
  Graph rounded = with_rounded_weights(bench.model);
  const auto node_of = [&](const WeightedLayer& layer) { return &rounded.nodes()[static_cast<size_t>(layer.node)]; };
  const std::vector<data::Batch> batches = bench.required_samples("reestimate_batch_norm").kept(images);
  ValueNodes outputs;
  for (const WeightedLayer& layer : layers) outputs[layer.output] = node_of(layer);
  const StatisticsByValue targets = statistics_of(bench.reference, outputs, batches, *bench.team);

  StagedRun run(rounded, batches, *bench.team);
  bench.progress->begin("re-estimating batch normalization", static_cast<int64_t>(layers.size()), "layers");
  for (size_t i = 0; i < layers.size(); ++i) {
    const WeightedLayer& layer = layers[i];
    const ChannelStatistics& target = targets.find(layer.output)->second;
    const auto correct_mean = [&] {
      const ChannelStatistics found = statistics_of(run, layer.output, *node_of(layer));
      std::vector<double> correction(target.channels());
      for (size_t c = 0; c < correction.size(); ++c) correction[c] = target.mean(c) - found.mean(c);
      add_to_bias(bench.model, layer, correction, {&rounded, &bench.model.graph});
      return found;
    };
    const ChannelStatistics found = correct_mean();
    if (has_own_scales(bench.model, layer)) {
      std::vector<double> factors(target.channels(), 1.0);
      for (size_t c = 0; c < factors.size(); ++c) {
        if (found.deviation(c) > 0 && target.deviation(c) > 0) factors[c] = target.deviation(c) / found.deviation(c);
      }
      scale_channels(bench.model, layer, factors, {&rounded, &bench.model.graph});
      // The scale moved the mean, too, by as much as it is not the bias'.
      correct_mean();
    }
    run.finish(layer.node);
    bench.progress->advance(static_cast<int64_t>(i) + 1);
  }
  bench.progress->end();
}

}  // namespace halftone::ptq
