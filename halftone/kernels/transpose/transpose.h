// Transposes of bytes: channels last to planes and back, and the inner loops of every other permutation of axes.
//
//   to[c * to_stride + r] = from[r * from_stride + c]        r < count, c < columns
//
// `to` has `columns` rows of `count` bytes. No alignment, no slack: nothing behind the last row is read. `from` and
// `to` don't overlap; bytes between the rows of `to` stay as they are.
#pragma once

#include "halftone/kernels/kernel.h"
#include "halftone/kernels/rows.h"

namespace halftone::kernels {

using TransposeFunction = void(const Rows& rows, const uint8_t* from, uint8_t* to);

struct TransposeKernel {
  std::string_view name;
  Isa isa;
  // Calls may have fewer rows and columns; where 4 or less of one were asked for, exactly these.
  const char* (*refuse)(const Rows&);
  TransposeFunction* run;
};
// kernels.def, most preferred first; the last accepts everything.
std::span<const TransposeKernel> transpose_kernels();
Choice<TransposeKernel> choose_transpose(const Rows& rows);

// The definition, and the portable kernel.
void transpose_portable(const Rows& rows, const uint8_t* from, uint8_t* to);

}  // namespace halftone::kernels
