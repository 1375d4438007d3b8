#include "halftone/transform/pass.h"

namespace halftone::transform {

// Files of IR version 3 list every initializer among the inputs, where a caller could override it.
Graph freeze_inputs(Graph graph, const KeepNames&) {
  std::erase_if(graph.inputs(), [&](ValueId id) { return graph.value(id).constant.has_value(); });
  return graph;
}

}  // namespace halftone::transform
