// What the channels of a network's values reach on samples.
#pragma once

#include <cstdint>

#include "halftone/ptq/samples.h"
#include "halftone/transform/equalize.h"

namespace halftone::ptq {

// The largest magnitude of each channel (axis 1) of every value whose channels can be followed (ChannelGroups), over
// the first `images` samples that are kept. Cost: one float run per sample. The number of threads makes no difference.
transform::ChannelMaxima watch_channel_maxima(const Graph& graph, Samples& samples, int64_t images, ThreadTeam& team);

}  // namespace halftone::ptq
