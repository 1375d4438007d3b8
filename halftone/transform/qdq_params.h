// How QuantizeLinear and DequantizeLinear nodes say which grid they use. Internal to fold_qdq.
#pragma once

#include <optional>
#include <string>

#include "halftone/graph/graph.h"
#include "halftone/quant/quant_params.h"

namespace halftone::qdq {

bool is_quantize(const Node& node);
bool is_dequantize(const Node& node);

// The content of a value that never changes (an initializer that is no input, or a Constant node), or nullptr.
const Tensor* fixed_constant(const Graph& graph, const GraphIndex& index, ValueId id);

struct Parsed {
  std::optional<QuantParams> params;
  std::string reason;  // why there are none: the node stays
};

// The grid of a node whose codes have the type `codes` (Undefined: what the zero point says). `shape` is that of the
// tensor, where known. Errors: Error{InvalidModel} as check_params.
Parsed parse_params(const Graph& graph, const GraphIndex& index, const Node& node, DType codes,
                    const std::optional<Shape>& shape);

// The spec that a calibration with these params could have had.
QuantSpec spec_of(const QuantParams& params);

}  // namespace halftone::qdq
