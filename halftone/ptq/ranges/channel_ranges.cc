#include "halftone/ptq/ranges/channel_ranges.h"

#include <algorithm>
#include <limits>

#include "halftone/graph/op_table.h"
#include "halftone/runtime/session.h"
#include "halftone/transform/channel_groups.h"

namespace halftone::ptq {
namespace {

constexpr Range kNothing = {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()};

void include(std::vector<Range>& ranges, const Tensor& value) {
  const int64_t channels = value.dim(1);
  ranges.resize(static_cast<size_t>(channels), kNothing);
  if (value.size() == 0) return;
  const int64_t inner = value.size() / (value.dim(0) * channels);
  const float* at = value.data<float>().data();
  for (int64_t row = 0; row < value.dim(0) * channels; ++row, at += inner) {
    Range& range = ranges[static_cast<size_t>(row % channels)];
    const auto [least, most] = std::minmax_element(at, at + inner);
    range = {std::min(range.low, *least), std::max(range.high, *most)};
  }
}

}  // namespace

transform::ChannelRanges watch_channel_ranges(const Graph& graph, Samples& samples, int64_t images, ThreadTeam& team) {
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
  transform::ChannelRanges ranges;
  map_in_order<transform::ChannelRanges>(
      samples.kept(images), team,
      [&](const data::Batch& batch) {
        transform::ChannelRanges seen;
        session.run(batch.inputs,
                    [&](std::string_view name, const Tensor& value) { include(seen[std::string(name)], value); });
        return seen;
      },
      [&](transform::ChannelRanges seen) {
        for (const auto& [name, of_batch] : seen) {
          std::vector<Range>& all = ranges[name];
          all.resize(of_batch.size(), kNothing);
          for (size_t c = 0; c < all.size(); ++c)
            all[c] = {std::min(all[c].low, of_batch[c].low), std::max(all[c].high, of_batch[c].high)};
        }
      });
  return ranges;
}

}  // namespace halftone::ptq
