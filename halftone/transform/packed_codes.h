// Constant codes as files hold them when ONNX has no type of their width: bit planes behind halftone.UnpackBits
// (packed_ops.h).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "halftone/graph/graph.h"
#include "halftone/quant/quant_params.h"

namespace halftone {

// The type of codes in files: that of 8 or 16 bits for those that are not exactly 4, 8, 16 or 32 bits wide.
DType file_type(const QuantParams& params);

// Does a constant on this grid go to files in bit planes? Codes of exactly 4, 8, 16 and 32 bits have types of their
// own, unless their channels differ in width or their grid is a list of levels.
bool needs_planes(const QuantParams& params);

// Bits that the codes of a constant of this shape take in a file, scales and zero points not counted.
int64_t stored_bits(const QuantParams& params, const Shape& shape);

// Appends the nodes that make `codes` (as quantize gives them) from bit planes, and returns their result, of file_type.
// Channels that differ in width are grouped: one set of planes for each width, put into order by Concat and Gather.
// New values are named after `stem`.
ValueId write_planes(Graph& graph, const std::string& stem, const Tensor& codes, const QuantParams& params);

// Channels without bits for each one with bits, at most: a small file can not stand for a huge tensor.
inline constexpr size_t kMaxEmptyChannels = 8;

// What planes hold.
struct PackedCodes {
  Tensor codes;                      // int8, uint8, int16 or uint16
  int64_t q_min = 0, q_max = 0;      // what their width can say
  std::vector<int8_t> channel_bits;  // where channels along `axis` differ in width
  int64_t axis = -1;
};

// All values that UnpackBits makes from constants, by itself or with the Concat and Gather of write_planes. Errors:
// Error{InvalidModel} naming the node, for planes of other types or sizes than shape and width require. Cost: a pass
// over the elements; memory 8 elements of up to 2 bytes for each byte of planes.
std::map<ValueId, PackedCodes> read_planes(const Graph& graph, const GraphIndex& index);

// `params` of a DequantizeLinear of these codes, with what the planes say: type and width, and bits by channel where
// the codes are such.
QuantParams with_planes(QuantParams params, const PackedCodes& packed);

}  // namespace halftone
