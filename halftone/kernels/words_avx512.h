// Numbers of 16 bits in memory, for templates on the Vectors of vectors_avx512.h; the names are those of words_avx2.h.
#pragma once

#include "halftone/kernels/vectors_avx512.h"

namespace halftone::kernels {
namespace {

struct Words {
  static HT_INLINE Vectors::Int widen(const void* p) {
    return _mm512_cvtepi8_epi16(_mm256_loadu_si256(static_cast<const __m256i*>(p)));
  }
  static HT_INLINE void store(void* to, Vectors::Int v) {
    _mm256_storeu_si256(static_cast<__m256i*>(to), _mm512_cvtepi32_epi16(v));
  }
};

}  // namespace
}  // namespace halftone::kernels
