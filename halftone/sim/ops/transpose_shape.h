// The geometry of a transposed convolution.
#pragma once

#include <cstdint>

#include "halftone/sim/interpreter.h"
#include "halftone/sim/ops/window.h"

namespace halftone::sim::ops {

// Extents of a transposed convolution of x [batch, groups * ic, in...] with weights [groups * ic, oc, kernel...].
struct TransposeShape {
  int64_t batch, groups;
  int64_t ic, oc;  // per group
  Window window;   // `in` is the operator's input; input o, tap k reaches output o * stride + k * dilation - pad
  int64_t spatial_rank;
};

// Reads the node's attributes, settles padding and output extents and holds the operands' shapes against each other.
// Errors: Error{InvalidModel} naming the node.
TransposeShape read_transpose_shape(const OpCall& call, const Shape& x, const Shape& weights);

}  // namespace halftone::sim::ops
