#include "halftone/ptq/ranges/channel_maxima.h"

#include <algorithm>
#include <cmath>

#include "halftone/graph/op_table.h"
#include "halftone/runtime/session.h"
#include "halftone/transform/channel_groups.h"

namespace halftone::ptq {
namespace {

void raise(std::vector<float>& maxima, const Tensor& value) {
  const int64_t channels = value.dim(1);
  maxima.resize(static_cast<size_t>(channels), 0.0f);
  if (value.size() == 0) return;
  const int64_t inner = value.size() / (value.dim(0) * channels);
  const float* at = value.data<float>().data();
  for (int64_t row = 0; row < value.dim(0) * channels; ++row, at += inner) {
    float& most = maxima[static_cast<size_t>(row % channels)];
    for (int64_t i = 0; i < inner; ++i) most = std::max(most, std::abs(at[i]));
  }
}

}  // namespace

transform::ChannelMaxima watch_channel_maxima(const Graph& graph, Samples& samples, int64_t images, ThreadTeam& team) {
  Graph typed = graph;
  infer_shapes(typed);
  const transform::ChannelGroups groups(typed);
  SessionOptions options;
  for (const Node& node : typed.nodes()) {
    for (const ValueId id : node.outputs) {
      if (id != ValueId::None && groups.channels(id) > 0) options.taps.push_back(typed.value(id).name);
    }
  }
  const Session session(typed, options);
  transform::ChannelMaxima maxima;
  map_in_order<transform::ChannelMaxima>(
      samples.kept(images), team,
      [&](const data::Batch& batch) {
        transform::ChannelMaxima seen;
        session.run(batch.inputs,
                    [&](std::string_view name, const Tensor& value) { raise(seen[std::string(name)], value); });
        return seen;
      },
      [&](transform::ChannelMaxima seen) {
        for (const auto& [name, largest] : seen) {
          std::vector<float>& most = maxima[name];
          most.resize(largest.size(), 0.0f);
          for (size_t c = 0; c < largest.size(); ++c) most[c] = std::max(most[c], largest[c]);
        }
      });
  return maxima;
}

}  // namespace halftone::ptq
