// Activations that are brought to grids over their own range in every run (docs/quantization.md, section 8).
#pragma once

#include "halftone/runtime/lowering.h"

namespace halftone::runtime {

// Rows of uint8 codes without gaps, and each row's grid. With one grid for all of them every row has its copy.
struct DynamicCodes {
  int64_t rows = 0, length = 0;
  Operand codes;
  Operand zero_points;  // int32 [rows]
  Operand scales;       // float [rows]
};

// Adds the steps that find the range of the floats at `from` (Plain), of all rows together or of each, and quantize
// them. A run throws Error{NumericRange} where they can't be.
DynamicCodes add_dynamic_codes(Lowering& lowering, const Place& from, int64_t length, DynamicRange range);

// Images of codes, channels last, with a border of zero points.
struct DynamicImage {
  int64_t height = 0, width = 0;  // border included
  Operand codes;
  Operand grid;  // one Grid
};

struct Border {
  int64_t top = 0, left = 0, bottom = 0, right = 0;
};

// The same for a value [n, c, h, w] or [n, c, w] of floats (Plain), on one grid.
DynamicImage add_dynamic_image(Lowering& lowering, const Place& from, const Border& border);

}  // namespace halftone::runtime
