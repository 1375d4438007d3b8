// Raises the operator set of a network without changing what it computes.
#pragma once

#include <cstdint>

#include "halftone/graph/graph.h"

namespace halftone {

// The same network in a newer version of ONNX's own operator set (13 to 25). Nodes whose definition changed on the way
// are rewritten: attributes become constant inputs, operators that were removed are replaced by their successors, and a
// Softmax over several axes at once becomes Flatten, Softmax, Reshape. Names of nodes and values stay; new ones are
// derived from the node's. A network that has the version or a newer one is returned as it is.
//
// Errors: Error{Unsupported} naming the node, where the newer version can't say what the older one did (for example
// BatchNormalization with several outputs), for networks older than opset 7, and for nodes with subgraphs, whose
// contents are not looked into. Cost: O(nodes).
// Source: the change log of the ONNX operators, https://github.com/onnx/onnx/blob/main/docs/Changelog.md
Graph upgrade_opset(Graph graph, int64_t target);

}  // namespace halftone
