// What an activation lets through.
#pragma once

#include <limits>
#include <optional>

#include "halftone/graph/graph.h"

namespace halftone::ptq {

struct ClipBounds {
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
};

// The bounds at which a Relu or Clip cuts off the node's result, where it alone reads that; infinite for all other
// nodes, and where the bounds are not constant.
ClipBounds clip_bounds_behind(const Graph& graph, const GraphIndex& index, const Node& node);

// Those of a Relu or Clip itself; nullopt where they are not constant.
std::optional<ClipBounds> bounds_of_clip(const Graph& graph, const Node& activation);

}  // namespace halftone::ptq
