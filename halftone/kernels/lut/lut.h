// Look-up tables: every function of one code, exactly, in either requantization mode. Activations (Relu, Clip,
// LeakyRelu, Sigmoid, Tanh, HardSwish, Gelu ...), changes of grid, the parts of a Concat.
//
//   to[r * to_stride + c] = table[from[r * from_stride + c]]        r < count, c < columns
//
// Bytes, no alignment. `from` may equal `to` where the strides are equal, and threads may then take rows each: nothing
// behind the last row is read. Otherwise they don't overlap. Bytes between the rows stay as they are.
#pragma once

#include <array>

#include "halftone/kernels/kernel.h"
#include "halftone/kernels/rows.h"
#include "halftone/kernels/stored_grid.h"

namespace halftone::kernels {

using Table = std::array<uint8_t, 256>;

// `table` has 256 entries.
using LutFunction = void(const uint8_t* table, const Rows& rows, const uint8_t* from, uint8_t* to);

struct LutKernel {
  std::string_view name;
  Isa isa;
  const char* (*refuse)(const Table&);
  LutFunction* run;
};
// kernels.def, most preferred first; the last accepts everything.
std::span<const LutKernel> lut_kernels();
Choice<LutKernel> choose_lut(const Table& table);

// The table of f(stored code), an int32 within 0..255.
template <typename F>
Table make_table(F f) {
  Table table;
  for (int32_t code = 0; code < 256; ++code) table[static_cast<size_t>(code)] = static_cast<uint8_t>(f(code));
  return table;
}

// requantize(code - zero_point) on another grid: IntegerForm::Move and Concatenation.
Table requantize_table(RequantizeMode mode, int32_t zero_point, float multiplier, const StoredGrid& to);
// The same with another multiplier below zero: IntegerForm::Activation.
Table activation_table(RequantizeMode mode, int32_t zero_point, float positive, float negative, const StoredGrid& to);

// The definition, and the portable kernel.
void lut_portable(const uint8_t* table, const Rows& rows, const uint8_t* from, uint8_t* to);

}  // namespace halftone::kernels
