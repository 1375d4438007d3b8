// The step of a convolution of codes.
#pragma once

#include "halftone/kernels/conv/conv.h"
#include "halftone/runtime/lowering.h"

namespace halftone::runtime {

// Where the rows of output pixels go, in bytes, when they don't follow each other: part of a larger image.
struct RowPlaces {
  int64_t offset = 0;
  int64_t row_stride = 0, image_stride = 0;
};

// Adds the step that computes `images` images from the codes at `from`, by the kernel of choice, with the constants
// packed. Pointers in `problem` are not needed afterwards. `name` tells apart the convolutions that a node consists of.
void add_conv(Lowering& lowering, const kernels::ConvProblem& problem, int64_t images, const Operand& from,
              const Operand& to, const std::string& name = "", const std::optional<RowPlaces>& rows = std::nullopt);

}  // namespace halftone::runtime
