// What a network costs on paper.
#pragma once

#include <cstdint>
#include <optional>

#include "halftone/graph/graph.h"

namespace halftone {

// Multiply-accumulates of one node: Conv, ConvTranspose, Gemm, MatMul and their integer forms; 0 for every other
// operator, nullopt where the shapes are not all known numbers (see infer_shapes). Padding counts as computed.
std::optional<int64_t> macs_of(const Graph& graph, const Node& node);

// Elements of the arrays of numbers that the node reads, e.g. weights and bias of a Conv; shapes and scalars don't
// count.
int64_t parameters_of(const Graph& graph, const Node& node);

}  // namespace halftone
