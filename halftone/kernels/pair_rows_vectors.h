// How kernels with two operands walk over their rows, on the Vectors of vectors_avx2.h or vectors_avx512.h. The second
// operand repeats its first element where b_step is 0.
#pragma once

#include "halftone/kernels/requantize_vectors.h"
#include "halftone/kernels/rows.h"

namespace halftone::kernels {
namespace {

// to[r][c] = f(a[r][c], b[r][c]), kBytes codes at a time. Reads up to kBytes - 1 bytes behind a row.
template <typename F>
HT_INLINE void for_each_pair(const PairRows& rows, int64_t b_step, const uint8_t* a, const uint8_t* b, uint8_t* to,
                             const F& f) {
  for (int64_t r = 0; r < rows.count; ++r, a += rows.a_stride, b += rows.b_stride, to += rows.to_stride) {
    const Vectors::Int same = Vectors::all8(b[0]);
    const auto at = [&](int64_t c) { return f(Vectors::load(a + c), b_step == 0 ? same : Vectors::load(b + c)); };
    int64_t c = 0;
    for (; c + Vectors::kBytes <= rows.columns; c += Vectors::kBytes) Vectors::store(to + c, at(c));
    if (c < rows.columns) Vectors::store_first(to + c, at(c), rows.columns - c);
  }
}

// to[r][c] = codes of steps(a + c, b + c * b_step, left), which are kLanes int32 for the `left` columns from c on.
template <typename Constant, typename F>
HT_INLINE void for_each_constant(const PairRows& rows, int64_t b_step, const StoredGrid& grid, const uint8_t* a,
                                 const Constant* b, uint8_t* to, const F& steps) {
  const Codes codes(grid);
  for (int64_t r = 0; r < rows.count; ++r, a += rows.a_stride, b += rows.b_stride, to += rows.to_stride) {
    for (int64_t c = 0; c < rows.columns; c += Vectors::kBytes) {
      Vectors::Int part[4];
      for (int64_t i = 0; i < 4; ++i) {
        const int64_t at = c + i * Vectors::kLanes, left = rows.columns - at;
        part[i] = left <= 0 ? Vectors::zero() : steps(a + at, b + at * b_step, left);
      }
      const Vectors::Int packed = Vectors::sort_packed(codes.pack(part[0], part[1], part[2], part[3]));
      if (rows.columns - c >= Vectors::kBytes) {
        Vectors::store(to + c, packed);
      } else {
        Vectors::store_first(to + c, packed, rows.columns - c);
      }
    }
  }
}

// The words of `left` columns, or the one for all of them. Reads no word behind the row.
HT_INLINE Vectors::Int load_constants(const void* b, int64_t b_step, int64_t left) {
  return b_step == 0 ? Vectors::all_words(b) : Vectors::load_words(b, left);
}

}  // namespace
}  // namespace halftone::kernels
