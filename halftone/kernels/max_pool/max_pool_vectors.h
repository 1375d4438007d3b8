// Maxima on the Vectors of vectors_avx2.h or vectors_avx512.h.
#pragma once

#include "halftone/kernels/max_pool/max_pool.h"

namespace halftone::kernels {
namespace {

// kCount vectors of channels of one pixel; `last` bytes of the last one are written.
template <int kCount>
HT_INLINE void max_of_box(const Box& box, const uint8_t* from, uint8_t* to, int64_t last) {
  Vectors::Int best[kCount];
  for (Vectors::Int& v : best) v = Vectors::zero();
  for (int64_t d = 0; d < box.count[0]; ++d) {
    for (int64_t h = 0; h < box.count[1]; ++h) {
      const uint8_t* tap = from + d * box.stride[0] + h * box.stride[1];
      for (int64_t w = 0; w < box.count[2]; ++w, tap += box.stride[2]) {
        for (int i = 0; i < kCount; ++i) best[i] = Vectors::max8(best[i], Vectors::load(tap + i * Vectors::kBytes));
      }
    }
  }
  for (int i = 0; i < kCount - 1; ++i) Vectors::store(to + i * Vectors::kBytes, best[i]);
  if (last == Vectors::kBytes) {
    Vectors::store(to + (kCount - 1) * Vectors::kBytes, best[kCount - 1]);
  } else {
    Vectors::store_first(to + (kCount - 1) * Vectors::kBytes, best[kCount - 1], last);
  }
}

HT_INLINE void max_pool_row(const BoxRow& row, const uint8_t* from, uint8_t* to) {
  constexpr int64_t kWide = 4 * Vectors::kBytes;
  for (int64_t j = 0; j < row.pixels; ++j, from += row.from_step, to += row.to_step) {
    int64_t c = 0;
    for (; c + kWide <= row.channels; c += kWide) max_of_box<4>(row.box, from + c, to + c, Vectors::kBytes);
    for (; c < row.channels; c += Vectors::kBytes) {
      const int64_t left = row.channels - c;
      max_of_box<1>(row.box, from + c, to + c, left < Vectors::kBytes ? left : Vectors::kBytes);
    }
  }
}

}  // namespace
}  // namespace halftone::kernels
