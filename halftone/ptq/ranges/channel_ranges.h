// What the channels of a network's values hold on samples.
#pragma once

#include <cstdint>

#include "halftone/ptq/samples.h"
#include "halftone/transform/equalize.h"

namespace halftone::ptq {

// The smallest and the largest number of each channel (axis 1) of every value whose channels can be followed
// (ChannelGroups), over the first `images` samples that are kept. Cost: one float run per sample. The number of threads
// makes no difference.
transform::ChannelRanges watch_channel_ranges(const Graph& graph, Samples& samples, int64_t images, ThreadTeam& team);

}  // namespace halftone::ptq
