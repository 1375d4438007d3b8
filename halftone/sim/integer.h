// The normative integer arithmetic of docs/quantization.md: plain loops over int32. Bounds that keep the sums within 32
// bits are the plan's business.
#pragma once

#include <span>
#include <vector>

#include "halftone/quant/integer_plan.h"
#include "halftone/sim/interpreter.h"

namespace halftone::sim {

// A node's weights as int32, zero points subtracted; Undefined where it has none.
Tensor integer_weights(const IntegerNode& node);

// Computes one node. `call` holds codes for the inputs that have a grid in the plan, and what the float network has for
// the others; `weights` is integer_weights(plan). One tensor per output of the plan: codes of its grid's type, or float
// for a result without a grid.
std::vector<Tensor> compute_integers(const IntegerNode& plan, const Tensor& weights, const OpCall& call);

// What a node of the form Function makes of each of these codes of its operand:
//   clamp(quantize(f(dequantize(code))), low, high)
// with the operator's own float function f. `call` holds the constants among the node's operands.
std::vector<int32_t> function_of_codes(const IntegerNode& plan, const OpCall& call, std::span<const int32_t> codes);

// The nodes of a quantized model that are computed in integers, ready to be computed.
class IntegerNodes {
 public:
  // Errors: as plan_integers.
  explicit IntegerNodes(const QuantizedModel& model, RequantizeMode mode = RequantizeMode::Float);

  const IntegerPlan& plan() const { return plan_; }
  // True where the plan computes the node in integers.
  bool computes(size_t position) const { return position < plan_.nodes.size() && plan_.nodes[position].has_value(); }
  // True where an activation is part of the node before it and has no work of its own.
  bool absorbs(size_t position) const { return position < plan_.absorbed.size() && plan_.absorbed[position]; }

  // compute_integers of a node that the plan has.
  std::vector<Tensor> compute(size_t position, const OpCall& call) const {
    return compute_integers(*plan_.nodes[position], weights_[position], call);
  }

 private:
  IntegerPlan plan_;
  std::vector<Tensor> weights_;  // by position: int32, zero points subtracted; Undefined where there are none
};

}  // namespace halftone::sim
