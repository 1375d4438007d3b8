// How MatMul and its integer forms read their operands: numpy.matmul's rules.
#pragma once

#include <vector>

#include "halftone/sim/interpreter.h"

namespace halftone::sim::ops {

// A batch of matrix products [m, k] x [k, n]. Product i reads the matrices a_index[i] and b_index[i] of its operands,
// counted in whole matrices.
struct MatMulShape {
  int64_t m = 1, n = 1, k = 0;
  std::vector<int64_t> a_index, b_index;
  Shape output;
};

// A vector on the left is a row, on the right a column, and the dimension so added does not show in the output;
// leading dimensions broadcast. Errors: Error{InvalidModel} naming the node.
MatMulShape read_mat_mul_shape(const OpCall& call, Shape a, Shape b);

}  // namespace halftone::sim::ops
