// How nodes of quantized files say which grid they use. Internal to what reads such files.
#pragma once

#include <optional>
#include <string>

#include "halftone/graph/graph.h"
#include "halftone/quant/quant_params.h"

namespace halftone::qdq {

bool is_quantize(const Node& node);
bool is_dequantize(const Node& node);

// `name` without `suffix`, where it ends so.
std::string strip_suffix(const std::string& name, std::string_view suffix);

// The content of a value that never changes (an initializer that is no input, or a Constant node), or nullptr.
const Tensor* fixed_constant(const Graph& graph, const GraphIndex& index, ValueId id);

struct Parsed {
  std::optional<QuantParams> params;
  std::string reason;  // why there are none: the node stays
};

// The operands and attributes of a node that state one grid.
struct GridOperands {
  ValueId scale = ValueId::None, zero_point = ValueId::None;
  DType codes = DType::Undefined;    // type of the codes; Undefined: what the zero point says, else uint8
  std::optional<Shape> shape;        // of the tensor, where known
  std::optional<int64_t> axis = {};  // nullopt: one scale for the whole tensor
  int64_t block_size = 0;
};

// The grid. Errors: Error{InvalidModel} naming the node and the value for scales that are missing, NaN, infinite, zero,
// negative or subnormal, zero points of another type or outside it, and counts that don't match the shape. The scales
// of int32 codes, which are products of two others, may be subnormal: such a node stays as it is.
Parsed parse_grid(const Graph& graph, const GraphIndex& index, const Node& node, const GridOperands& operands);

// The grid of a QuantizeLinear or DequantizeLinear whose codes have the type `codes`. `shape` is that of the tensor,
// where known. Errors: as parse_grid.
Parsed parse_params(const Graph& graph, const GraphIndex& index, const Node& node, DType codes,
                    const std::optional<Shape>& shape);

// The grid of a DequantizeLevels node (packed_ops.h) of these codes. Errors: Error{InvalidModel} naming the node and
// the value, for scales that are no positive normal numbers, levels that are not finite and ascending or fewer than the
// codes need, and counts that don't match the shape.
Parsed parse_levels(const Graph& graph, const GraphIndex& index, const Node& node, const Tensor& codes);

// The spec that a calibration with these params could have had.
QuantSpec spec_of(const QuantParams& params);

}  // namespace halftone::qdq
