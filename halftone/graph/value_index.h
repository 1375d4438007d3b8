// Where a value stands in tables that have an entry per value of a graph.
#pragma once

#include <cstddef>

#include "halftone/graph/graph.h"

namespace halftone {

inline size_t index_of(ValueId id) { return static_cast<size_t>(id); }

}  // namespace halftone
