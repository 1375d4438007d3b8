// Numbers of 16 bits in memory, for templates on the Vectors of vectors_avx2.h.
#pragma once

#include "halftone/kernels/vectors_avx2.h"

namespace halftone::kernels {
namespace {

struct Words {
  // 2 * kLanes int8 to int16, in order.
  static HT_INLINE Vectors::Int widen(const void* p) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128(static_cast<const __m128i*>(p)));
  }
  // kLanes lanes that are int16 numbers.
  static HT_INLINE void store(void* to, Vectors::Int v) {
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi32(v, v), 0x08);
    _mm_storeu_si128(static_cast<__m128i*>(to), _mm256_castsi256_si128(packed));
  }
};

}  // namespace
}  // namespace halftone::kernels
