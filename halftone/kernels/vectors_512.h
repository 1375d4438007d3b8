// Vectors of 64 bytes (AVX-512 F, BW, DQ, VL) under the names of vectors_256.h.
#pragma once

#include <immintrin.h>

#include "halftone/kernels/inline.h"

namespace halftone::kernels {
namespace {

struct Vectors512 {
  using Int = __m512i;
  using Float = __m512;
  static constexpr int64_t kBytes = 64, kLanes = 16;

  static HT_INLINE Int load(const void* p) { return _mm512_loadu_si512(p); }
  static HT_INLINE void store(void* p, Int v) { _mm512_storeu_si512(p, v); }
  static HT_INLINE __mmask64 first(int64_t n) { return (__mmask64{1} << n) - 1; }
  static HT_INLINE void store_first(void* p, Int v, int64_t n) { _mm512_mask_storeu_epi8(p, first(n), v); }
  static HT_INLINE Int load_first(const void* p, int64_t n) { return _mm512_maskz_loadu_epi8(first(n), p); }
  static HT_INLINE Int load_before(const uint8_t* p, const uint8_t* end) {
    return end - p >= kBytes ? load(p) : load_first(p, end - p);
  }
  static HT_INLINE Int load_words(const void* p, int64_t n) {
    if (n >= kLanes) return load(p);
    return _mm512_maskz_loadu_epi32(static_cast<__mmask16>(n <= 0 ? 0 : (1 << n) - 1), p);
  }

  static HT_INLINE Int load_pairs(const void* p, int64_t n) {
    if (2 * n >= kLanes) return load(p);
    return _mm512_maskz_loadu_epi64(static_cast<__mmask8>(n <= 0 ? 0 : (1 << n) - 1), p);
  }
  // The 8 or 4 bytes at p in all lanes of that size.
  static HT_INLINE Int all_pairs(const void* p) { return all64(load_as<int64_t>(p)); }
  static HT_INLINE Int all_words(const void* p) { return all32(load_as<int32_t>(p)); }
  template <int kCount>
  static HT_INLINE void store_rows(void* to, int64_t stride, Int v) {
    auto* p = static_cast<uint8_t*>(to);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_castsi512_si128(v));
    if (kCount > 1) _mm_storeu_si128(reinterpret_cast<__m128i*>(p + stride), _mm512_extracti32x4_epi32(v, 1));
    if (kCount > 2) _mm_storeu_si128(reinterpret_cast<__m128i*>(p + 2 * stride), _mm512_extracti32x4_epi32(v, 2));
    if (kCount > 3) _mm_storeu_si128(reinterpret_cast<__m128i*>(p + 3 * stride), _mm512_extracti32x4_epi32(v, 3));
  }

  static HT_INLINE Int zero() { return _mm512_setzero_si512(); }
  static HT_INLINE Int all8(int32_t x) { return _mm512_set1_epi8(static_cast<char>(x)); }
  static HT_INLINE Int all16(int32_t x) { return _mm512_set1_epi16(static_cast<int16_t>(x)); }
  static HT_INLINE Int all32(int32_t x) { return _mm512_set1_epi32(x); }
  static HT_INLINE Int all64(int64_t x) { return _mm512_set1_epi64(x); }
  static HT_INLINE Float all(float x) { return _mm512_set1_ps(x); }

  static HT_INLINE Int low8(Int a, Int b) { return _mm512_unpacklo_epi8(a, b); }
  static HT_INLINE Int high8(Int a, Int b) { return _mm512_unpackhi_epi8(a, b); }
  static HT_INLINE Int low16(Int a, Int b) { return _mm512_unpacklo_epi16(a, b); }
  static HT_INLINE Int high16(Int a, Int b) { return _mm512_unpackhi_epi16(a, b); }
  static HT_INLINE Int pack32(Int a, Int b) { return _mm512_packs_epi32(a, b); }
  static HT_INLINE Int pack16(Int a, Int b) { return _mm512_packus_epi16(a, b); }
  static HT_INLINE Int widen(const uint8_t* p) {
    return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static HT_INLINE Int widen_before(const uint8_t* p, const uint8_t* end) {
    if (end - p >= kLanes) return widen(p);
    const auto mask = static_cast<__mmask16>((1 << (end - p)) - 1);
    return _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(mask, p));
  }
  static HT_INLINE Int spread_low32(Int v) { return _mm512_cvtepu32_epi64(_mm512_castsi512_si256(v)); }
  static HT_INLINE Int spread_high32(Int v) { return _mm512_cvtepu32_epi64(_mm512_extracti64x4_epi64(v, 1)); }
  static HT_INLINE Int lower_halves(Int a, Int b) {
    return _mm512_permutex2var_epi32(a, _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30),
                                     b);
  }
  static HT_INLINE Int sort_packed(Int v) {
    return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), v);
  }

  static HT_INLINE Int exclusive_or(Int a, Int b) { return _mm512_xor_si512(a, b); }
  static HT_INLINE Int max8(Int a, Int b) { return _mm512_max_epu8(a, b); }
  static HT_INLINE Int min8(Int a, Int b) { return _mm512_min_epu8(a, b); }
  static HT_INLINE Int add16(Int a, Int b) { return _mm512_add_epi16(a, b); }
  static HT_INLINE Int sub16(Int a, Int b) { return _mm512_sub_epi16(a, b); }
  static HT_INLINE Int adds16(Int a, Int b) { return _mm512_adds_epi16(a, b); }
  static HT_INLINE Int mul_add8(Int bytes, Int weights) { return _mm512_maddubs_epi16(bytes, weights); }
  static HT_INLINE Int madd16(Int a, Int b) { return _mm512_madd_epi16(a, b); }
  static HT_INLINE Int mul16_low(Int a, Int b) { return _mm512_mullo_epi16(a, b); }
  static HT_INLINE Int mul16_high(Int a, Int b) { return _mm512_mulhi_epi16(a, b); }
  static HT_INLINE Int add32(Int a, Int b) { return _mm512_add_epi32(a, b); }
  static HT_INLINE Int sub32(Int a, Int b) { return _mm512_sub_epi32(a, b); }
  static HT_INLINE Int mul32(Int a, Int b) { return _mm512_mullo_epi32(a, b); }
  static HT_INLINE Int max32(Int a, Int b) { return _mm512_max_epi32(a, b); }
  static HT_INLINE Int min32(Int a, Int b) { return _mm512_min_epi32(a, b); }
  template <int kCount>
  static HT_INLINE Int shift_left32(Int v) {
    return _mm512_slli_epi32(v, kCount);
  }
  static HT_INLINE Int shift_right32(Int v, int32_t count) { return _mm512_sra_epi32(v, _mm_cvtsi32_si128(count)); }
  static HT_INLINE Int add64(Int a, Int b) { return _mm512_add_epi64(a, b); }
  static HT_INLINE Int sub64(Int a, Int b) { return _mm512_sub_epi64(a, b); }
  static HT_INLINE Int shift_left64_each(Int v, Int counts) { return _mm512_sllv_epi64(v, counts); }
  static HT_INLINE Int mul_even32(Int a, Int b) { return _mm512_mul_epi32(a, b); }
  static HT_INLINE Int odd_to_even32(Int v) { return _mm512_srli_epi64(v, 32); }
  static HT_INLINE Int join32(Int even, Int odd) {
    return _mm512_mask_blend_epi32(0xAAAA, even, _mm512_slli_epi64(odd, 32));
  }
  static HT_INLINE Int join_high32(Int even, Int odd) {
    return _mm512_mask_shuffle_epi32(odd, 0x5555, even, static_cast<_MM_PERM_ENUM>(0xF5));
  }
  static HT_INLINE Int shift_right64(Int v, int32_t count) { return _mm512_srl_epi64(v, _mm_cvtsi32_si128(count)); }
  static HT_INLINE Int shift_right32_each(Int v, Int counts) { return _mm512_srav_epi32(v, counts); }
  static HT_INLINE Int shift_right64_each(Int v, Int counts) { return _mm512_srlv_epi64(v, counts); }
  static HT_INLINE Int sad8(Int a) { return _mm512_sad_epu8(a, zero()); }
  static HT_INLINE int64_t sum64(Int v) {
    int64_t lanes[8];
    store(lanes, v);
    return lanes[0] + lanes[1] + lanes[2] + lanes[3] + lanes[4] + lanes[5] + lanes[6] + lanes[7];
  }

  static HT_INLINE Float add(Float a, Float b) { return _mm512_add_ps(a, b); }
  static HT_INLINE Float sub(Float a, Float b) { return _mm512_sub_ps(a, b); }
  static HT_INLINE Float mul(Float a, Float b) { return _mm512_mul_ps(a, b); }
  static HT_INLINE Float div(Float a, Float b) { return _mm512_div_ps(a, b); }
  static HT_INLINE Float max(Float a, Float b) { return _mm512_max_ps(a, b); }
  static HT_INLINE Float min(Float a, Float b) { return _mm512_min_ps(a, b); }
  static HT_INLINE Float nan_to_zero(Float v) { return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(v, v, _CMP_ORD_Q), v); }
  static HT_INLINE Float as_float(Int v) { return _mm512_castsi512_ps(v); }
  static HT_INLINE Int as_int(Float v) { return _mm512_castps_si512(v); }
  static HT_INLINE Float to_float(Int v) { return _mm512_cvtepi32_ps(v); }
  static HT_INLINE Int round(Float v) { return _mm512_cvtps_epi32(v); }
};

}  // namespace
}  // namespace halftone::kernels
