// Vectors of 32 and 64 bytes side by side, with what this family needs beyond vectors_256.h. Included by sources that
// are compiled for AVX2 and higher levels only.
//
// Everything lies in an unnamed namespace: code compiled for one instruction-set level must not be shared with sources
// compiled for another.
#pragma once

#include "halftone/kernels/vectors_256.h"
#ifdef __AVX512BW__
#include "halftone/kernels/vectors_512.h"
#endif

#define HT_INLINE_LAMBDA __attribute__((always_inline))

namespace halftone::kernels {
namespace {

#ifdef __AVX512VL__
inline constexpr int kRegisters = 32;
#else
inline constexpr int kRegisters = 16;
#endif

struct Lanes32 : Vectors256 {
#ifdef __AVX512VNNI__
  static HT_INLINE Int dot(Int sum, Int codes, Int weights) { return _mm256_dpbusd_epi32(sum, codes, weights); }
#elif defined(__AVXVNNI__)
  static HT_INLINE Int dot(Int sum, Int codes, Int weights) { return _mm256_dpbusd_avx_epi32(sum, codes, weights); }
#endif
  // join_high32 by a shift: the ports of shuffles are busy with interleaving.
  static HT_INLINE Int high_halves(Int even, Int odd) { return _mm256_blend_epi32(odd_to_even32(even), odd, 0xAA); }
  static HT_INLINE Int shift_left32_each(Int v, Int counts) { return _mm256_sllv_epi32(v, counts); }
  static HT_INLINE Int halve16(Int v) { return _mm256_srai_epi16(v, 1); }

#ifdef __AVX512BW__
  static HT_INLINE void store_first(uint8_t* p, Int v, int64_t n) {
    _mm256_mask_storeu_epi8(p, static_cast<__mmask32>((uint64_t{1} << n) - 1), v);
  }
#endif
};

#ifdef __AVX512BW__
struct Lanes64 : Vectors512 {
#ifdef __AVX512VNNI__
  static HT_INLINE Int dot(Int sum, Int codes, Int weights) { return _mm512_dpbusd_epi32(sum, codes, weights); }
#endif
  static HT_INLINE Int high_halves(Int even, Int odd) {
    return _mm512_mask_blend_epi32(0xAAAA, odd_to_even32(even), odd);
  }
  static HT_INLINE Int shift_left32_each(Int v, Int counts) { return _mm512_sllv_epi32(v, counts); }
  static HT_INLINE Int halve16(Int v) { return _mm512_srai_epi16(v, 1); }
};
#endif

}  // namespace
}  // namespace halftone::kernels
