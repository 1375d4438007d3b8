// The step of a convolution of codes.
#pragma once

#include "halftone/kernels/conv/conv.h"
#include "halftone/runtime/lowering.h"

namespace halftone::runtime {

// Adds the step that computes `images` images from the codes at `from`, by the kernel of choice, with the constants
// packed. Pointers in `problem` are not needed afterwards.
void add_conv(Lowering& lowering, const kernels::ConvProblem& problem, int64_t images, const Operand& from,
              const Operand& to);

}  // namespace halftone::runtime
