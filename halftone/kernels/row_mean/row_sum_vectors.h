// Sums of rows on the Vectors of vectors_avx2.h or vectors_avx512.h.
#pragma once

#include "halftone/kernels/row_mean/row_mean.h"

namespace halftone::kernels {
namespace {

HT_INLINE int64_t row_sum(const uint8_t* row, int64_t columns) {
  Vectors::Int sum = Vectors::zero();
  int64_t c = 0;
  for (; c + Vectors::kBytes <= columns; c += Vectors::kBytes) {
    sum = Vectors::add64(sum, Vectors::sad8(Vectors::load(row + c)));
  }
  if (c < columns) sum = Vectors::add64(sum, Vectors::sad8(Vectors::load_first(row + c, columns - c)));
  return Vectors::sum64(sum);
}

}  // namespace
}  // namespace halftone::kernels
