// Scales of a layer's weights that suit what they are rounded for.
#pragma once

#include "halftone/ptq/rounding/channel_grids.h"
#include "halftone/ptq/rounding/layer_objective.h"

namespace halftone::ptq {

// Tries scales from 1 down to 0.4 times the grids' own and takes those on which GPTQ's error is least, for every unit
// of channels by itself. Cost: features^2 multiplications by channel and scale tried.
void search_scales(ChannelGrids& grids, const LayerObjective& objective);

// The best scales for the codes that there are, and codes downhill from there, a few times over. Where a channel has
// one scale that is s = (q^T Q w*) / (q^T Q q), over all channels that share it; several scales of one channel (blocks)
// are settled one after the other; what is neither stays. Refitted scales stay between 0.25 and 2 times those of
// `given`.
void refit_scales(ChannelGrids& grids, const ChannelGrids& given, const LayerObjective& objective);

}  // namespace halftone::ptq
