// Reading Einsum's equations.
#pragma once

#include <string>
#include <vector>

#include "halftone/sim/interpreter.h"

namespace halftone::sim::ops {

// An equation for given operands, as nested loops: one loop per label, first those of the output, then those that are
// summed over (in the order in which they appear).
struct EinsumLoops {
  Shape extents;
  size_t output_rank = 0;                     // the first loops are the output's dimensions
  std::vector<std::vector<int64_t>> strides;  // of each operand, along every loop
};

// A label that occurs several times in one operand walks along its diagonal; an ellipsis stands for dimensions without
// a name, aligned at the last; without "->" the output has the ellipsis and then the labels that occur once, sorted.
// Errors: Error{InvalidModel} naming the node, for an equation that can't be read or does not fit the shapes.
EinsumLoops read_einsum(const OpCall& call, const std::string& equation, const std::vector<Shape>& shapes);

}  // namespace halftone::sim::ops
