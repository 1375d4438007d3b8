#include "halftone/ptq/blocks/block_samples.h"

#include <algorithm>
#include <optional>

#include "halftone/base/error.h"
#include "halftone/runtime/session.h"

namespace halftone::ptq {
namespace {

// The quantized network up to one value.
QuantizedModel part_up_to(QuantizedModel model, ValueId output) {
  model.graph.outputs() = {output};
  model.graph.remove_dead();
  const auto dead = [&](const auto& entry) { return model.graph.find(entry.first) == ValueId::None; };
  std::erase_if(model.encodings, dead);
  std::erase_if(model.dynamic, dead);
  return model;
}

}  // namespace

BlockSamples read_block_samples(const Workbench& bench, const Block& block, int64_t input_size, int64_t output_size,
                                const StagedRun& reference, const std::vector<data::Batch>& batches, int64_t bytes) {
  std::vector<int64_t> first(batches.size() + 1, 0);
  for (size_t b = 0; b < batches.size(); ++b) first[b + 1] = first[b] + static_cast<int64_t>(batches[b].ids.size());
  BlockSamples samples{0, input_size, output_size, {}, {}, {}};
  const QuantizedModel& model = bench.model;
  const ValueId input = model.graph.find(block.input);
  std::optional<Session> session;
  if (GraphIndex(model.graph).producer(input) >= 0) session.emplace(part_up_to(model, input));

  const int64_t each = (2 * input_size + output_size) * static_cast<int64_t>(sizeof(float));
  samples.count = std::clamp<int64_t>(bytes / std::max<int64_t>(each, 1), 1, first.back());
  samples.found.resize(static_cast<size_t>(samples.count * input_size));
  samples.real.resize(samples.found.size());
  samples.target.resize(static_cast<size_t>(samples.count * output_size));
  reference.compute({block.input, block.output}, [&](size_t b, const TensorMap& values) {
    const int64_t count = std::min(samples.count, first[b + 1]) - first[b];
    if (count <= 0) return;
    const auto keep = [&](std::vector<float>& all, const Tensor& content, int64_t size) {
      HT_CHECK(content.size() == size * (first[b + 1] - first[b]), "samples of a block differ in size");
      std::copy_n(content.data<float>().begin(), count * size, all.begin() + first[b] * size);
    };
    const Tensor& x = values.at(block.input);
    keep(samples.real, x, input_size);
    keep(samples.target, values.at(block.output), output_size);
    if (session) {
      keep(samples.found, session->run(batches[b].inputs).at(block.input), input_size);
    } else {
      const Encoding* encoding = find_encoding(model, input);
      keep(samples.found, encoding == nullptr ? x : fake_quantize(x, encoding->params), input_size);
    }
  });
  return samples;
}

}  // namespace halftone::ptq
