// How kernels with two operands walk over their rows, on the Vectors of vectors_avx2.h or vectors_avx512.h. The second
// operand repeats its first element where b_step is 0.
#pragma once

#include "halftone/kernels/requantize_vectors.h"
#include "halftone/kernels/rows.h"

namespace halftone::kernels {
namespace {

// to[r][c] = f(a[r][c], b[r][c]), kBytes codes at a time. Like all here it reads nothing behind the last row of `a`: in
// place, it may be another thread's.
template <typename F>
HT_INLINE void for_each_pair(const PairRows& rows, int64_t b_step, const uint8_t* a, const uint8_t* b, uint8_t* to,
                             const F& f) {
  const uint8_t* a_end = a + (rows.count - 1) * rows.a_stride + rows.columns;
  // A row that repeats is no other thread's.
  const uint8_t* b_end =
      b + (rows.count - 1) * rows.b_stride + rows.columns + (rows.b_stride == 0 ? Vectors::kBytes : 0);
  for (int64_t r = 0; r < rows.count; ++r, a += rows.a_stride, b += rows.b_stride, to += rows.to_stride) {
    const Vectors::Int same = Vectors::all8(b[0]);
    int64_t c = 0;
    for (; c + Vectors::kBytes <= rows.columns; c += Vectors::kBytes) {
      Vectors::store(to + c, f(Vectors::load(a + c), b_step == 0 ? same : Vectors::load(b + c)));
    }
    if (c == rows.columns) continue;
    const Vectors::Int second = b_step == 0 ? same : Vectors::load_before(b + c, b_end);
    Vectors::store_first(to + c, f(Vectors::load_before(a + c, a_end), second), rows.columns - c);
  }
}

constexpr int64_t kRepeatedColumns = 1024;

// A row of b beside every row of a, without gaps: gates, whose channels are seldom a multiple of a vector. With b laid
// out a little beyond its end, rows run on into each other.
template <typename F>
HT_INLINE void for_each_repeated(const PairRows& rows, const uint8_t* a, const uint8_t* b, uint8_t* to, const F& f) {
  uint8_t repeated[kRepeatedColumns + Vectors::kBytes];
  for (int64_t i = 0; i < rows.columns + Vectors::kBytes; ++i) {
    repeated[i] = i < rows.columns ? b[i] : repeated[i - rows.columns];
  }
  const int64_t count = rows.count * rows.columns, step = Vectors::kBytes % rows.columns;
  int64_t i = 0, column = 0;
  for (; i + Vectors::kBytes <= count; i += Vectors::kBytes) {
    Vectors::store(to + i, f(Vectors::load(a + i), Vectors::load(repeated + column)));
    column += step;
    if (column >= rows.columns) column -= rows.columns;
  }
  if (i == count) return;
  const Vectors::Int last = f(Vectors::load_before(a + i, a + count), Vectors::load(repeated + column));
  Vectors::store_first(to + i, last, count - i);
}

template <typename F>
HT_INLINE void for_codes(const PairRows& rows, int64_t b_step, const uint8_t* a, const uint8_t* b, uint8_t* to,
                         const F& f) {
  const bool gaps = rows.a_stride != rows.columns || rows.to_stride != rows.columns;
  const bool repeats = rows.b_stride == 0 && b_step == 1 && rows.count > 1 && rows.columns <= kRepeatedColumns;
  if (repeats && !gaps && rows.columns % Vectors::kBytes != 0) {
    for_each_repeated(rows, a, b, to, f);
  } else {
    for_each_pair(rows, b_step, a, b, to, f);
  }
}

// to[r][c] = codes of steps(kLanes elements of a, b + c * b_step, left), which are kLanes int32 for the `left` columns
// from c on.
template <typename Constant, typename F>
HT_INLINE void for_each_constant(const PairRows& rows, int64_t b_step, const StoredGrid& grid, const uint8_t* a,
                                 const Constant* b, uint8_t* to, const F& steps) {
  const Codes codes(grid);
  const uint8_t* a_end = a + (rows.count - 1) * rows.a_stride + rows.columns;
  for (int64_t r = 0; r < rows.count; ++r, a += rows.a_stride, b += rows.b_stride, to += rows.to_stride) {
    for (int64_t c = 0; c < rows.columns; c += Vectors::kBytes) {
      Vectors::Int part[4];
      for (int64_t i = 0; i < 4; ++i) {
        const int64_t at = c + i * Vectors::kLanes, left = rows.columns - at;
        part[i] = left <= 0 ? Vectors::zero() : steps(Vectors::widen_before(a + at, a_end), b + at * b_step, left);
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

// The words of `left` columns, or the one for all of them.
HT_INLINE Vectors::Int load_constants(const void* b, int64_t b_step, int64_t left) {
  return b_step == 0 ? Vectors::all_words(b) : Vectors::load_words(b, left);
}

}  // namespace
}  // namespace halftone::kernels
