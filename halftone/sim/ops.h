// The operators' functions, declared from ops.def. Each computes a node's outputs from its inputs by ONNX's definition
// and refuses operands that contradict it with Error{InvalidModel}.
#pragma once

#include <vector>

#include "halftone/sim/interpreter.h"

namespace halftone::sim::ops {

#define HT_SIM_OP(name, function) std::vector<Tensor> function(const OpCall& call);
#include "halftone/sim/ops.def"
#undef HT_SIM_OP

}  // namespace halftone::sim::ops
