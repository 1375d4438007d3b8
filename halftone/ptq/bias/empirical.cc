#include "halftone/ptq/bias/correct.h"
#include "halftone/ptq/channel_statistics.h"

namespace halftone::ptq {

void correct_bias_empirically(Workbench& bench, std::string_view pattern, int64_t images) {
  std::vector<WeightedLayer> layers = weighted_layers(bench.model, pattern);
  std::erase_if(layers, [&](const WeightedLayer& l) { return bench.reference.find(l.output) == ValueId::None; });
  Graph rounded = with_rounded_weights(bench.model);
  const auto node_of = [&](const WeightedLayer& layer) { return &rounded.nodes()[static_cast<size_t>(layer.node)]; };
  const std::vector<data::Batch> batches = bench.required_samples("correct_bias").kept(images);
  ValueNodes outputs;
  for (const WeightedLayer& layer : layers) outputs[layer.output] = node_of(layer);
  const StatisticsByValue targets = statistics_of(bench.reference, outputs, batches, *bench.team);

  StagedRun run(rounded, batches, *bench.team);
  bench.progress->begin("correcting biases", static_cast<int64_t>(layers.size()), "layers");
  for (size_t i = 0; i < layers.size(); ++i) {
    const WeightedLayer& layer = layers[i];
    const ChannelStatistics& target = targets.find(layer.output)->second;
    const ChannelStatistics found = statistics_of(run, layer.output, *node_of(layer));
    std::vector<double> correction(target.channels());
    for (size_t c = 0; c < correction.size(); ++c) correction[c] = target.mean(c) - found.mean(c);
    if (!add_to_bias(bench.model, layer, correction, {&rounded, &bench.model.graph})) {
      bench.progress->note(fmt::format("layer '{}' has no place for a bias and is not corrected", layer.name));
    }
    run.finish(layer.node);
    bench.progress->advance(static_cast<int64_t>(i) + 1);
  }
  bench.progress->end();
}

}  // namespace halftone::ptq
