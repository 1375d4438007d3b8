// One function per IntegerForm. Internal to the interpreter.
#pragma once

#include <vector>

#include "halftone/quant/integer_plan.h"
#include "halftone/sim/interpreter.h"

namespace halftone::sim {

// A node's operands as its form reads them.
struct IntegerCall {
  const IntegerNode& plan;
  const OpCall& call;            // the node, and what the float network has for operands that are not codes
  const Tensor& weights;         // int32, zero points subtracted
  std::vector<Tensor> operands;  // by input: int32, q - zero_point; Undefined for operands that are not codes

  const IntegerOutput& output() const { return plan.outputs[0]; }
};

// Results, one per output of the plan: int32 codes, or float where the output has no grid.
using IntegerFunction = std::vector<Tensor> (*)(const IntegerCall&);

std::vector<Tensor> integer_product_sum(const IntegerCall& c);  // Convolution, TransposedConvolution, MatrixProduct
std::vector<Tensor> integer_sum(const IntegerCall& c);
std::vector<Tensor> integer_product(const IntegerCall& c);
std::vector<Tensor> integer_activation(const IntegerCall& c);
std::vector<Tensor> integer_function(const IntegerCall& c);
std::vector<Tensor> integer_window_mean(const IntegerCall& c);
std::vector<Tensor> integer_mean(const IntegerCall& c);
std::vector<Tensor> integer_move(const IntegerCall& c);
std::vector<Tensor> integer_concatenation(const IntegerCall& c);
std::vector<Tensor> integer_dynamic_product(const IntegerCall& c);

}  // namespace halftone::sim
