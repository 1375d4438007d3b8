// What a network wants to be fed, in the loader's words.
#pragma once

#include <vector>

#include "halftone/data/loader.h"
#include "halftone/graph/graph.h"

namespace halftone::eval {

// One port per required input, in order; unknown dimensions are -1.
std::vector<data::InputPort> input_ports(const Graph& graph);

}  // namespace halftone::eval
