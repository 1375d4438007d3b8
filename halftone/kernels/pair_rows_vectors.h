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

// to[r][c] = codes of the steps f(a[r][c], b[r][c]), kLanes codes in int32 and words of `b` at a time. Reads no word of
// `b` behind a row.
template <typename Word, typename F>
HT_INLINE void for_each_constant(const PairRows& rows, int64_t b_step, const Codes& codes, const uint8_t* a,
                                 const Word* b, uint8_t* to, const F& f) {
  for (int64_t r = 0; r < rows.count; ++r, a += rows.a_stride, b += rows.b_stride, to += rows.to_stride) {
    const Vectors::Int same = Vectors::all_words(b);
    for (int64_t c = 0; c < rows.columns; c += Vectors::kBytes) {
      Vectors::Int steps[4];
      for (int64_t i = 0; i < 4; ++i) {
        const int64_t at = c + i * Vectors::kLanes;
        const int64_t left = rows.columns - at;
        steps[i] = left <= 0 ? Vectors::zero()
                             : f(Vectors::widen(a + at), b_step == 0 ? same : Vectors::load_words(b + at, left));
      }
      const Vectors::Int packed = Vectors::sort_packed(codes.pack(steps[0], steps[1], steps[2], steps[3]));
      if (rows.columns - c >= Vectors::kBytes) {
        Vectors::store(to + c, packed);
      } else {
        Vectors::store_first(to + c, packed, rows.columns - c);
      }
    }
  }
}

}  // namespace
}  // namespace halftone::kernels
