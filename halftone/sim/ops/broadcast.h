// Numpy's broadcasting, as strides.
#pragma once

#include <vector>

#include "halftone/sim/interpreter.h"

namespace halftone::sim::ops {

// Strides (in elements) with which a dense tensor of shape `from` is read as if it had the shape `to`: shapes are
// aligned at their last dimensions, and a dimension of 1 or a missing one is read again and again (stride 0).
// Errors: Error{InvalidModel} naming the node when `from` does not broadcast to `to`.
std::vector<int64_t> broadcast_strides(const OpCall& call, const Shape& from, const Shape& to);

}  // namespace halftone::sim::ops
