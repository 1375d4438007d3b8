// Float functions of one quantized value, as look-up tables from code to code.
#pragma once

#include "halftone/graph/graph.h"

namespace halftone::runtime {

class Lowering;

// True for a node outside of the integer plan that maps each element of one value to one of another, both with grids of
// at most 8 bits: what it does is a table of 256 codes, made with the interpreter's own function.
bool is_table(const Lowering& lowering, const Node& node);

}  // namespace halftone::runtime
