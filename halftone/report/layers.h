// The part of a report that goes layer by layer. Internal to the room.
#pragma once

#include <string>
#include <vector>

#include "halftone/report/report.h"

namespace halftone::report {

// The layers with their grids, histograms and channel ranges; what has to be measured on whole networks is left out.
std::vector<LayerReport> layers_of(const Source& source, ThreadTeam& team, ProgressSink& progress);

// Whether the layer's weights mean the same in both networks: on the grid they are close to those of the reference.
bool same_function(const Source& source, const LayerReport& layer);

}  // namespace halftone::report
