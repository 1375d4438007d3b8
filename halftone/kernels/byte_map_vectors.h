// Functions of single bytes, applied to rows of them, on the Vectors of vectors_avx2.h or vectors_avx512.h.
#pragma once

#include "halftone/kernels/rows.h"

namespace halftone::kernels {
namespace {

// to[r][c] = map(from[r][c]). Reads nothing behind the last row: in place, it may be another thread's.
template <typename Map>
HT_INLINE void map_bytes(const Rows& rows, const uint8_t* from, uint8_t* to, const Map& map) {
  const bool gaps = rows.from_stride != rows.columns || rows.to_stride != rows.columns;
  const int64_t count = gaps ? rows.count : 1, columns = gaps ? rows.columns : rows.count * rows.columns;
  const uint8_t* end = from + (count - 1) * rows.from_stride + columns;
  for (int64_t r = 0; r < count; ++r, from += rows.from_stride, to += rows.to_stride) {
    int64_t c = 0;
    for (; c + Vectors::kBytes <= columns; c += Vectors::kBytes) {
      Vectors::store(to + c, map(Vectors::load(from + c)));
    }
    if (c < columns) Vectors::store_first(to + c, map(Vectors::load_before(from + c, end)), columns - c);
  }
}

}  // namespace
}  // namespace halftone::kernels
