// What a layer computes, in words that are the same for equal layers of all networks.
#pragma once

#include <string>

#include "halftone/graph/graph.h"

namespace halftone::search {

// Operator, attributes, and the shapes of what it reads and makes: "Conv(group=32,strides=1 1) 1x32x112x112 32x1x3x3 ->
// 1x32x112x112".
std::string work_name(const Graph& graph, const Node& node);

}  // namespace halftone::search
