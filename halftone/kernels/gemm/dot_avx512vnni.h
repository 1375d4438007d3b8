// vpdpbusd on 512 bits, as gemm_vnni.h wants it.
#pragma once

#include "halftone/kernels/vectors_avx512.h"

namespace halftone::kernels {
namespace {

struct Dot {
  // 24 accumulators, the block's weights and one broadcast; with one or two vectors the rows' pointers are the limit.
  static constexpr int kMostVectors = 4;
  static constexpr int kRows[] = {0, 12, 12, 8, 6};

  static constexpr int kStationary = 18;

  static HT_INLINE __m512i dot(__m512i acc, __m512i bytes, __m512i weights) {
    return _mm512_dpbusd_epi32(acc, bytes, weights);
  }
  static HT_INLINE __m512i permute32(__m512i words, __m512i order) { return _mm512_permutexvar_epi32(order, words); }

  // Stores under masks cost what plain ones do.
  using Columns = __mmask64;
  static HT_INLINE Columns columns(int64_t count) { return count >= 64 ? ~Columns{0} : Vectors::first(count); }
  template <int kFirst, int kBytes>
  static HT_INLINE void store(void* to, __m512i bytes, Columns columns) {
    if constexpr (kBytes > 32) {
      _mm512_mask_storeu_epi8(to, columns, bytes);
    } else if constexpr (kBytes == 32) {
      _mm256_mask_storeu_epi8(to, static_cast<__mmask32>(columns), _mm512_extracti64x4_epi64(bytes, kFirst / 32));
    } else {
      _mm_mask_storeu_epi8(to, static_cast<__mmask16>(columns), _mm512_extracti32x4_epi32(bytes, kFirst / 16));
    }
  }
  template <int kVector>
  static HT_INLINE void store_words(void* to, __m512 words, Columns columns) {
    _mm512_mask_storeu_ps(to, static_cast<__mmask16>(columns >> 16 * kVector), words);
  }
};

}  // namespace
}  // namespace halftone::kernels
