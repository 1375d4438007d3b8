// Element-wise work on codes by table.
#pragma once

#include "halftone/kernels/lut/lut.h"
#include "halftone/runtime/lowering.h"

namespace halftone::runtime {

// Adds a step that looks up the stored codes of x, which become those of y on the grid `to`, in the layout that x lies
// in, and defines y. In place where nobody needs x any more.
void add_table(Lowering& lowering, ValueId x, ValueId y, const Grid& to, const kernels::Table& table);

}  // namespace halftone::runtime
