// Encodings to standard QuantizeLinear and DequantizeLinear nodes: the form in which quantized networks go to files.
#pragma once

#include "halftone/graph/graph.h"
#include "halftone/quant/encodings.h"

namespace halftone {

// The network as other runtimes understand it.
//
// * A constant with an encoding becomes codes (NAME_quantized) and a DequantizeLinear whose output has its name. Codes
//   of other than 4, 8 and 16 bits, and those of channels that differ in width, stand in bit planes (NAME_planes)
//   behind UnpackBits; a grid of levels is a DequantizeLevels (docs/onnx.md). The graph gets their functions.
// * A computed value or input with an encoding is followed by QuantizeLinear and DequantizeLinear; its readers read
//   NAME_dequantized. Where the name belongs to a graph output (or a subgraph reads it), the DequantizeLinear's output
//   has it and the unrounded value is called NAME_unquantized. Codes fewer than the type's, which is one of 4, 8 or
//   16 bits, are kept by a Clip before the QuantizeLinear; results of nodes that read or write grids by channel by Max
//   and Min.
// * An Identity between two grids is QuantizeLinear and DequantizeLinear alone.
// * An operand of an Add that is computed in integers, which nothing else reads and whose scale is short
//   (short_scale.h), has both nodes twice (NAME_repeated). To ONNX that changes nothing; OpenVINO computes the same
//   codes with it.
// * The bias of a node that is computed in integers becomes int32 codes at scale float32(s_x * s_w[c]) and a
//   DequantizeLinear; other biases stay float.
// * A node of the `dynamic` table becomes DynamicQuantizeLinear, ConvInteger or MatMulInteger, Cast and Mul, or for
//   grids by row what insert_dynamic.h says, with the codes of its weights (NAME_quantized). Where the
//   integer planner refuses it, it is a float node as any other, which it is to executors as well.
// * Nothing is inserted between a node and the activation that it absorbs, as that value has no encoding.
// * The operator set is raised to 13, to 15 for bit planes, to 21 for types of 4 and 16 bits and for blocks
//   (upgrade_opset), and ir_version with it.
// * What the nodes can't say (QuantSpec, narrow ranges, bits by channel, what dynamic nodes were, reasons) goes to the
// metadata entry
//   'halftone.encodings'.
//
// fold_qdq(insert_qdq(m)) has m's encodings, weights of the same codes, and m's graph, with weights and biases rounded.
// Errors: Error{Unsupported} from upgrade_opset, for weights of such a node that have other than 8 bits, for levels
// with scales by block, for activations that use a part of their codes on several scales along an unknown axis, and for
// an encoded input that is at the same time an output or read by a subgraph; Error{InvalidModel} for an encoding that
// does not fit its value.
Graph insert_qdq(const QuantizedModel& model);

}  // namespace halftone
