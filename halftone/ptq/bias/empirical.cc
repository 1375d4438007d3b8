#include "halftone/base/error.h"
#include "halftone/ptq/bias/correct.h"
#include "halftone/ptq/staged_run.h"
#include "halftone/runtime/session.h"

namespace halftone::ptq {
namespace {

// The mean over samples and positions of every channel of a value.
class ChannelMean {
 public:
  void add(const std::vector<double>& sums, int64_t count) {
    sums_.resize(sums.size(), 0.0);
    for (size_t c = 0; c < sums.size(); ++c) sums_[c] += sums[c];
    count_ += count;
  }
  std::vector<double> mean() const {
    std::vector<double> mean = sums_;
    for (double& channel : mean) channel /= static_cast<double>(std::max<int64_t>(count_, 1));
    return mean;
  }

 private:
  std::vector<double> sums_;
  int64_t count_ = 0;
};

struct Sums {
  std::vector<double> by_channel;
  int64_t count = 0;
};

Sums sums_of(const Tensor& value, const Node& node) {
  const int64_t axis = channel_axis(node, value.rank());
  return {channel_sums(value, axis), value.dim(axis) == 0 ? 0 : value.size() / value.dim(axis)};
}

// What the float network makes at each layer, in one pass.
std::map<std::string, ChannelMean, std::less<>> float_means(const Workbench& bench,
                                                            const std::vector<WeightedLayer>& layers,
                                                            const std::vector<data::Batch>& batches) {
  SessionOptions options;
  std::map<std::string, const Node*, std::less<>> nodes;
  for (const WeightedLayer& layer : layers) {
    options.taps.push_back(layer.output);
    nodes[layer.output] = &bench.model.graph.nodes()[static_cast<size_t>(layer.node)];
  }
  const Session session(bench.reference, options);
  std::map<std::string, ChannelMean, std::less<>> means;
  using Result = std::map<std::string, Sums>;
  map_in_order<Result>(
      batches, *bench.team,
      [&](const data::Batch& batch) {
        Result result;
        session.run(batch.inputs, [&](std::string_view name, const Tensor& value) {
          result[std::string(name)] = sums_of(value, *nodes.find(name)->second);
        });
        return result;
      },
      [&](Result result) {
        for (const auto& [name, sums] : result) means[name].add(sums.by_channel, sums.count);
      });
  return means;
}

ChannelMean rounded_mean(const StagedRun& run, const WeightedLayer& layer, const Node& node) {
  std::vector<Sums> by_batch(run.batch_count());
  run.compute({layer.output},
              [&](size_t batch, const TensorMap& values) { by_batch[batch] = sums_of(values.at(layer.output), node); });
  ChannelMean mean;
  for (const Sums& sums : by_batch) mean.add(sums.by_channel, sums.count);
  return mean;
}

}  // namespace

void correct_bias_empirically(Workbench& bench, std::string_view pattern, int64_t images) {
  std::vector<WeightedLayer> layers = weighted_layers(bench.model, pattern);
  std::erase_if(layers,
                [&](const WeightedLayer& layer) { return bench.reference.find(layer.output) == ValueId::None; });
  const std::vector<data::Batch> batches = bench.required_samples("correct_bias").kept(images);
  const auto targets = float_means(bench, layers, batches);

  Graph rounded = with_rounded_weights(bench.model);
  StagedRun run(rounded, batches, *bench.team);
  bench.progress->begin("correcting biases", static_cast<int64_t>(layers.size()), "layers");
  for (size_t i = 0; i < layers.size(); ++i) {
    const WeightedLayer& layer = layers[i];
    std::vector<double> correction = targets.at(layer.output).mean();
    const std::vector<double> mean = rounded_mean(run, layer, rounded.nodes()[static_cast<size_t>(layer.node)]).mean();
    for (size_t c = 0; c < correction.size(); ++c) correction[c] -= mean[c];
    if (!add_to_bias(bench.model, layer, correction, {&rounded, &bench.model.graph})) {
      bench.progress->note(fmt::format("layer '{}' has no place for a bias and is not corrected", layer.name));
    }
    run.finish(layer.node);
    bench.progress->advance(static_cast<int64_t>(i) + 1);
  }
  bench.progress->end();
}

}  // namespace halftone::ptq
