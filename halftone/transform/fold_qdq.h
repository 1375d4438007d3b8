// Quantize/Dequantize nodes to encodings: how quantized files come in.
#pragma once

#include "halftone/graph/graph.h"
#include "halftone/quant/encodings.h"

namespace halftone {

// The network without the QuantizeLinear and DequantizeLinear nodes (of ONNX's own domain or of com.microsoft) that say
// what encodings say: a QuantizeLinear whose readers are DequantizeLinear nodes on the same grid, and a
// DequantizeLinear of a constant. It takes what insert_qdq writes and what other quantizers do:
//
// * Operators on codes (QLinearConv, QLinearMatMul, QGemm, QLinearAdd ...) become float operators between such nodes
//   first (expand_qlinear.h).
// * One pair, or several equal pairs on branches, on a value that has no other reader: the value gets the encoding and
//   keeps its name; if the DequantizeLinear's output is a graph output, that name stays.
// * A pair on a value that others read unrounded, or that has another encoding already: an Identity whose output has
//   the encoding.
// * A pair on the grid of the pair in front of it: nothing, as it changes nothing, unless a graph output has its name.
// * DequantizeLinear of constant codes of at most 16 bits: a float constant with the encoding.
// * DequantizeLinear of int32 codes (a bias): a float constant. Where its scale is float32(s_x * s_w) of the node that
//   reads it, the product is taken in double, so that the codes come back exactly.
// * Bit planes and levels (docs/onnx.md) of constants, which come back with their functions gone.
// * The Clip, or Max and Min, of insert_qdq becomes part of the encoding. Without the metadata entry
//   'halftone.encodings' the QuantSpec is what the parameters look like.
//
// What can't be folded (codes that somebody else reads, scales that are computed, types other than float) stays as
// nodes and stands in float_reasons by node name. A graph without such nodes is returned unchanged. Errors:
// Error{InvalidModel} naming the node, for scales that are not positive normal numbers, zero points outside their type,
// counts that don't match shapes, planes of the wrong number or size, levels that don't ascend, and a damaged metadata
// entry. Cost: O(edges) and a pass over the weights.
QuantizedModel fold_qdq(Graph graph);

}  // namespace halftone
