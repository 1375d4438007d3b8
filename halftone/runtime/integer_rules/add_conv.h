// The steps of convolutions of codes. A matrix product with constant weights is one of them: one pixel per row.
#pragma once

#include <optional>
#include <string>

#include "halftone/kernels/conv/conv.h"
#include "halftone/runtime/integer_rules/int8_weights.h"
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

// Codes on grids that are found in every run, by pixel of the result.
struct DynamicPixels {
  Operand codes;
  Operand zero_points;  // int32
  Operand scales;       // float
  // One Grid for all pixels, which the step writes into the two above.
  std::optional<Operand> grid;
};

// Adds the step that computes real results from such codes, the node's real bias added.
void add_dynamic_conv(Lowering& lowering, const kernels::ConvShape& shape, const Int8Weights& weights, int64_t images,
                      const DynamicPixels& from, const Operand& to);

}  // namespace halftone::runtime
