// Quantization on the Vectors of vectors_avx2.h or vectors_avx512.h.
#pragma once

#include "halftone/kernels/quantize/quantize.h"
#include "halftone/kernels/requantize_vectors.h"

namespace halftone::kernels {
namespace {

class Quantizer {
 public:
  explicit HT_INLINE Quantizer(const QuantizeProblem& problem)
      : scale_(Vectors::all(problem.scale)), round_(problem.grid), codes_(problem.grid) {}

  // Of kLanes floats, given as words.
  HT_INLINE Vectors::Int steps(Vectors::Int x) const {
    return round_(Vectors::nan_to_zero(Vectors::div(Vectors::as_float(x), scale_)));
  }
  // Four times kLanes codes, in order.
  HT_INLINE Vectors::Int pack(Vectors::Int a, Vectors::Int b, Vectors::Int c, Vectors::Int d) const {
    return Vectors::sort_packed(codes_.pack(a, b, c, d));
  }
  // Of four rows.
  HT_INLINE Vectors::Int operator()(const float* from, int64_t stride) const {
    const auto row = [&](int64_t i) { return steps(Vectors::load(from + i * stride)); };
    return pack(row(0), row(1), row(2), row(3));
  }

 private:
  Vectors::Float scale_;
  ClampedRound round_;
  Codes codes_;
};

HT_INLINE void quantize_row(const Quantizer& quantizer, const float* from, uint8_t* to, int64_t columns) {
  constexpr int64_t kLanes = Vectors::kLanes;
  int64_t c = 0;
  for (; c + Vectors::kBytes <= columns; c += Vectors::kBytes) Vectors::store(to + c, quantizer(from + c, kLanes));
  if (c == columns) return;
  // No word behind the row is read, and no more is divided than there is.
  Vectors::Int part[4];
  for (int64_t i = 0; i < 4; ++i) {
    const int64_t at = c + i * kLanes;
    part[i] = at < columns ? quantizer.steps(Vectors::load_words(from + at, columns - at)) : Vectors::zero();
  }
  Vectors::store_first(to + c, quantizer.pack(part[0], part[1], part[2], part[3]), columns - c);
}

HT_INLINE void quantize_rows(const QuantizeProblem& problem, const Rows& rows, const float* from, uint8_t* to) {
  const Quantizer quantizer(problem);
  if (rows.from_stride == rows.columns && rows.to_stride == rows.columns) {
    quantize_row(quantizer, from, to, rows.count * rows.columns);
    return;
  }
  int64_t r = 0;
  // The blocks of oneDNN's layouts.
  if (rows.columns == Vectors::kLanes) {
    for (; r + 4 <= rows.count; r += 4) {
      Vectors::store_rows<4>(to + r * rows.to_stride, rows.to_stride,
                             quantizer(from + r * rows.from_stride, rows.from_stride));
    }
  }
  for (; r < rows.count; ++r)
    quantize_row(quantizer, from + r * rows.from_stride, to + r * rows.to_stride, rows.columns);
}

}  // namespace
}  // namespace halftone::kernels
