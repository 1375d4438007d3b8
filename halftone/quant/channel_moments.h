// What batch normalization knows about the values that it made: their mean and spread while the network was trained.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "halftone/graph/graph.h"

namespace halftone {

// By channel (axis 1).
struct ChannelMoments {
  std::vector<float> mean, deviation;
  bool operator==(const ChannelMoments&) const = default;
};

// By value name.
using NormStatistics = std::map<std::string, ChannelMoments, std::less<>>;

// The results of the graph's BatchNormalization nodes: mean beta, deviation |gamma|. To be asked before
// fold_batch_norm, which leaves the name to the layer that takes the node in. Nodes whose parameters are no constants,
// or no finite numbers, are left out.
NormStatistics collect_norm_statistics(const Graph& graph);

}  // namespace halftone
