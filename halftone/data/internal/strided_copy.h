// Fortran-order arrays to row-major ones. Internal to the room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "halftone/tensor/shape.h"

namespace halftone::data {

// Copies items [first, first + count) along dimension 0 of a column-major array of `shape` into `to`, row-major.
// Elements have `element_bytes`; `from` holds the whole array, `to` exactly the items.
void copy_fortran_slice(std::span<const std::byte> from, const Shape& shape, size_t element_bytes, int64_t first,
                        int64_t count, std::span<std::byte> to);

}  // namespace halftone::data
