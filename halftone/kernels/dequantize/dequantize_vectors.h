// Dequantization on the Vectors of vectors_avx2.h or vectors_avx512.h.
#pragma once

#include "halftone/kernels/dequantize/dequantize.h"

namespace halftone::kernels {
namespace {

HT_INLINE void dequantize_rows(const DequantizeProblem& problem, const Rows& rows, const uint8_t* from, float* to) {
  const Vectors::Int zero = Vectors::all32(problem.zero_point);
  const Vectors::Float scale = Vectors::all(problem.scale);
  const auto real = [&](const uint8_t* p) {
    return Vectors::as_int(Vectors::mul(scale, Vectors::to_float(Vectors::sub32(Vectors::widen(p), zero))));
  };
  const bool gaps = rows.from_stride != rows.columns || rows.to_stride != rows.columns;
  const int64_t count = gaps ? rows.count : 1, columns = gaps ? rows.columns : rows.count * rows.columns;
  for (int64_t r = 0; r < count; ++r, from += rows.from_stride, to += rows.to_stride) {
    int64_t c = 0;
    for (; c + Vectors::kLanes <= columns; c += Vectors::kLanes) Vectors::store(to + c, real(from + c));
    if (c < columns) Vectors::store_first(to + c, real(from + c), 4 * (columns - c));
  }
}

}  // namespace
}  // namespace halftone::kernels
