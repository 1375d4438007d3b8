// Values that are held as codes: conversions between floats and codes, and between layouts of codes.
#pragma once

#include <string>

#include "halftone/kernels/stored_grid.h"
#include "halftone/runtime/program.h"

namespace halftone::runtime {

class Lowering;

// Codes of 2 to 8 bits are stored as kernels/kernel.h says, those of 9 to 16 as kernels/wide_grid.h does; single bits
// stay what they are, in the Plain layout.
inline bool is_narrow(const Grid& grid) { return bits_of(grid.dtype) <= 8 && grid.dtype != DType::Bit; }

inline bool is_wide(const Grid& grid) { return bits_of(grid.dtype) > 8; }
inline DType stored_type(const Grid& grid) {
  return is_narrow(grid) ? DType::UInt8 : is_wide(grid) ? DType::Int16 : grid.dtype;
}
// Of codes that are not single bits.
inline int64_t code_bytes(const Grid& grid) { return is_wide(grid) ? 2 : 1; }

// Steps that convert a value from one form to another; `to` has the value's grid where it holds codes.
void add_quantize(Lowering& lowering, const std::string& name, const Place& from, const Place& to);
void add_dequantize(Lowering& lowering, const std::string& name, const Place& from, const Place& to);
// From ChannelsLast to Plain or back.
void add_code_transpose(Lowering& lowering, const std::string& name, const Place& from, const Place& to);

// Codes of a Plain place as the model has them, in the type of its grid, and back to a place.
Tensor codes_at(const RunMemory& memory, const Place& place);
void store_codes(const Tensor& codes, RunMemory& memory, const Place& place);

// The codes of a constant, as its grid has them, as the bytes of `place` would be.
std::shared_ptr<const std::byte> stored_constant(const Tensor& codes, const Place& place);

}  // namespace halftone::runtime
