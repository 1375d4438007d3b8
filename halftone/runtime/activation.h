// Element-wise functions of one operand as oneDNN knows them.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

#include "halftone/runtime/lowering.h"

namespace halftone::runtime {

struct Eltwise {
  dnnl::algorithm algorithm;
  float alpha = 0;
  float beta = 0;
};

// The functions to apply one after the other; empty when the node is none that oneDNN computes (or has operands that
// are not constant). The node's data is its input 0.
std::vector<Eltwise> eltwise_of(const Lowering& lowering, const Node& node);

// True when all of them map 0 to something finite, so that the padding of a Blocked value stays finite.
bool finite_at_zero(const std::vector<Eltwise>& functions);

// What follows a node and is computed in one go with it.
struct Chain {
  dnnl::post_ops post_ops;
  ValueId output = ValueId::None;  // the last node's
  std::vector<int> absorbed;       // positions of the nodes that follow
  ValueId addend = ValueId::None;  // what is added (a sum post-op), in the Blocked layout
};

// Follows the readers of `value` while each is the only one, nobody else sees what lies between, and oneDNN can append
// it: element-wise functions and, with `with_sum`, one residual Add whose other operand may be overwritten.
Chain follow(const Lowering& lowering, ValueId value, bool with_sum);

// Tells the lowering what the chain covers, once the step has been added.
void absorb(Lowering& lowering, const Chain& chain);

}  // namespace halftone::runtime
