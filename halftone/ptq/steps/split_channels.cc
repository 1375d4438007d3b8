#include <algorithm>

#include "halftone/ptq/step.h"
#include "halftone/transform/split_channels.h"

namespace halftone::ptq {

void step_split_channels(Workbench* bench, StepWords& words) {
  transform::SplitOptions options;
  options.ratio = words.number("ratio", options.ratio, 0, 1);
  words.finish();
  if (bench == nullptr) return;
  options.bits = std::clamp(bench->recipe->weights.bits, 2, 16);
  transform::ChannelSplit split = transform::split_channels(std::move(bench->reference), options);
  bench->reference = std::move(split.graph);
  bench->progress->note(fmt::format("split_channels adds {} channels in {} layers", split.channels, split.layers));
}

}  // namespace halftone::ptq
