// Operators that compute nothing: their results hold elements of their operands.
#pragma once

#include "halftone/graph/graph.h"

namespace halftone {

// Whether the results hold nothing but elements of the operands, and padding: all of them, some of them, several times,
// the largest of them. Such results can live on the operand's grid.
bool moves_elements(const Node& node);

// Whether they hold each of them, so that watching the results tells nothing new. Padding is no exception: zero has a
// place on every grid, and what pads a maximum may saturate.
bool keeps_all_elements(const Node& node);

// The one value whose elements `id` holds, all of them, because a node moved them there; None for others.
ValueId source_of(const Graph& graph, const GraphIndex& index, ValueId id);

}  // namespace halftone
