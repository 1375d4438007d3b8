// Quantization on the Vectors of vectors_avx2.h or vectors_avx512.h.
#pragma once

#include "halftone/kernels/quantize/quantize.h"
#include "halftone/kernels/requantize_vectors.h"

namespace halftone::kernels {
namespace {

HT_INLINE void quantize_rows(const QuantizeProblem& problem, const Rows& rows, const float* from, uint8_t* to) {
  const Vectors::Float scale = Vectors::all(problem.scale);
  const ClampedRound round(problem.grid);
  const Codes codes(problem.grid);
  const auto steps = [&](Vectors::Float x) { return round(Vectors::nan_to_zero(Vectors::div(x, scale))); };
  const auto at = [](const float* p) { return Vectors::as_float(Vectors::load(p)); };
  constexpr int64_t kLanes = Vectors::kLanes;
  const bool gaps = rows.from_stride != rows.columns || rows.to_stride != rows.columns;
  const int64_t count = gaps ? rows.count : 1, columns = gaps ? rows.columns : rows.count * rows.columns;
  for (int64_t r = 0; r < count; ++r, from += rows.from_stride, to += rows.to_stride) {
    int64_t c = 0;
    for (; c + Vectors::kBytes <= columns; c += Vectors::kBytes) {
      const Vectors::Int packed = codes.pack(steps(at(from + c)), steps(at(from + c + kLanes)),
                                             steps(at(from + c + 2 * kLanes)), steps(at(from + c + 3 * kLanes)));
      Vectors::store(to + c, Vectors::sort_packed(packed));
    }
    // Only words of the row are read, and divisions are few: rows of 8 and 16 floats are oneDNN's blocks.
    if (c == columns) continue;
    Vectors::Int part[4];
    for (int64_t i = 0; i < 4; ++i) {
      const int64_t left = columns - c - i * kLanes;
      part[i] =
          left <= 0 ? Vectors::zero() : steps(Vectors::as_float(Vectors::load_words(from + c + i * kLanes, left)));
    }
    const Vectors::Int packed = codes.pack(part[0], part[1], part[2], part[3]);
    Vectors::store_first(to + c, Vectors::sort_packed(packed), columns - c);
  }
}

}  // namespace
}  // namespace halftone::kernels
