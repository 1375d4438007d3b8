// vpdpbusd on 256 bits, as gemm_vnni.h wants it.
#pragma once

#include "halftone/kernels/vectors_avx2.h"

namespace halftone::kernels {
namespace {

struct Dot {
  // 12 accumulators of 16 registers.
  static constexpr int kMostVectors = 2;
  static constexpr int kRows[] = {0, 8, 6};
  static constexpr int kStationary = 9;

  static HT_INLINE __m256i dot(__m256i acc, __m256i bytes, __m256i weights) {
    return _mm256_dpbusd_avx_epi32(acc, bytes, weights);
  }
  static HT_INLINE __m256i permute32(__m256i words, __m256i order) { return _mm256_permutevar8x32_epi32(words, order); }

  using Columns = int64_t;
  static HT_INLINE Columns columns(int64_t count) { return count; }
  template <int kFirst, int kBytes>
  static HT_INLINE void store(void* to, __m256i bytes, Columns columns) {
    __m128i from = _mm256_extracti128_si256(bytes, kFirst / 16);
    if constexpr (kFirst % 16 != 0) from = _mm_unpackhi_epi64(from, from);
    if (columns < kBytes) {
      Vectors::store_first(to, _mm256_castsi128_si256(from), columns);
    } else if constexpr (kBytes == 16) {
      _mm_storeu_si128(static_cast<__m128i*>(to), from);
    } else {
      _mm_storel_epi64(static_cast<__m128i*>(to), from);
    }
  }
  template <int kVector>
  static HT_INLINE void store_words(void* to, __m256 words, Columns columns) {
    const __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const auto rest = static_cast<int>(columns) - 8 * kVector;
    _mm256_maskstore_ps(static_cast<float*>(to), _mm256_cmpgt_epi32(_mm256_set1_epi32(rest), index), words);
  }
};

}  // namespace
}  // namespace halftone::kernels
