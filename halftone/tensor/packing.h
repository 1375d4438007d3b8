// Sub-byte elements, packed little-endian within a byte: element 0 is in the lowest bits (ONNX's INT4 layout).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "halftone/tensor/dtype.h"
#include "halftone/tensor/tensor.h"

namespace halftone {

// One int32 per element of an integer tensor of 1 to 32 bits, UInt32 excepted (Bit gives +1 and -1, Bool 0 and 1).
// Errors: Error{Unsupported} for other types.
std::vector<int32_t> unpack_integers(const Tensor& tensor);

// A tensor of `dtype` holding `values`; each must lie in the type's range. Unused bits of the last byte are zero.
// Errors: Error{NumericRange} for a value outside the range, Error{Unsupported} for non-integer types.
Tensor pack_integers(DType dtype, Shape shape, std::span<const int32_t> values);

// Smallest and largest value of an integer type of at most 32 bits, e.g. [-8, 7] for Int4, [-1, 1] for Bit, whose only
// values these two are. Errors: Error{Unsupported} for other types.
struct IntegerRange {
  int64_t low;
  int64_t high;
};
IntegerRange range_of(DType dtype);

}  // namespace halftone
