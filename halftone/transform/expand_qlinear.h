// Operators on codes to float operators between Q/DQ nodes.
#pragma once

#include <map>
#include <string>

#include "halftone/graph/graph.h"

namespace halftone {

// The network with the operators of qlinear_ops.def (ONNX Runtime's QOperator format) written as DequantizeLinear of
// each operand, the float operator, and QuantizeLinear of its result, which fold_qdq then turns into encodings. int32
// biases get a DequantizeLinear at scale float32(s_x * s_w[c]). Operators that move or pick codes (MaxPool, Reshape,
// Pad ...) are wrapped in the same way on the grid of what they read. A result in codes NAME_quantized is called NAME
// as a real number where that is free, else NAME_real.
//
// An operator that can't be written so (scales that the network computes, several scales for an activation, channels
// last) stays, and `float_reasons` says why. A graph without such operators is returned unchanged; else shapes are
// inferred anew. Errors: Error{InvalidModel} naming the node and the value, as qdq::parse_grid, and for operands that
// are left out. Cost: O(edges).
Graph expand_qlinear(Graph graph, std::map<std::string, std::string>& float_reasons);

}  // namespace halftone
