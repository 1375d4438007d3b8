// Vectors of 32 bytes (AVX2) under the names by which the kernels' templates know vectors. Everything lies in an
// unnamed namespace: code compiled for one instruction-set level must not be shared with sources compiled for another.
//
// Interleaving and packing work within lanes of 16 bytes, and undo each other: widen bytes, compute, and pack, and the
// elements are where they were.
#pragma once

#include <immintrin.h>

#include "halftone/kernels/inline.h"

namespace halftone::kernels {
namespace {

struct Vectors256 {
  using Int = __m256i;
  using Float = __m256;
  static constexpr int64_t kBytes = 32, kLanes = 8;

  static HT_INLINE Int load(const void* p) { return _mm256_loadu_si256(static_cast<const Int*>(p)); }
  static HT_INLINE void store(void* p, Int v) { _mm256_storeu_si256(static_cast<Int*>(p), v); }
  // The first n < kBytes bytes.
  static HT_INLINE void store_first(void* to, Int v, int64_t n) {
    auto* p = static_cast<uint8_t*>(to);
    __m128i half = _mm256_castsi256_si128(v);
    if (n & 16) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(p), half);
      half = _mm256_extracti128_si256(v, 1);
      p += 16;
    }
    if (n & 8) {
      _mm_storel_epi64(reinterpret_cast<__m128i*>(p), half);
      half = _mm_unpackhi_epi64(half, half);
      p += 8;
    }
    auto rest = static_cast<uint64_t>(_mm_cvtsi128_si64(half));
    if (n & 4) {
      const auto word = static_cast<uint32_t>(rest);
      __builtin_memcpy(p, &word, 4);
      rest >>= 32;
      p += 4;
    }
    if (n & 2) {
      const auto word = static_cast<uint16_t>(rest);
      __builtin_memcpy(p, &word, 2);
      rest >>= 16;
      p += 2;
    }
    if (n & 1) *p = static_cast<uint8_t>(rest);
  }
  // kBytes bytes, or those before `end` and zeros; reads nothing from `end` on.
  static HT_INLINE Int load_before(const uint8_t* p, const uint8_t* end) {
    if (end - p >= kBytes) return load(p);
    uint8_t bytes[kBytes] = {};
    __builtin_memcpy(bytes, p, static_cast<size_t>(end - p));
    return load(bytes);
  }
  // The first n < kBytes bytes, zeros behind them; reads kBytes.
  static HT_INLINE Int load_first(const void* p, int64_t n) {
    const Int index = _mm256_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
                                       23, 24, 25, 26, 27, 28, 29, 30, 31);
    return _mm256_and_si256(load(p), _mm256_cmpgt_epi8(_mm256_set1_epi8(static_cast<char>(n)), index));
  }
  // kLanes elements of 4 bytes, of which n are read; zeros behind them.
  static HT_INLINE Int load_words(const void* p, int64_t n) {
    if (n >= kLanes) return load(p);
    const Int index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const Int mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(n < 0 ? 0 : static_cast<int>(n)), index);
    return _mm256_maskload_epi32(static_cast<const int*>(p), mask);
  }

  // The same of 8 bytes.
  static HT_INLINE Int load_pairs(const void* p, int64_t n) {
    if (2 * n >= kLanes) return load(p);
    const Int mask = _mm256_cmpgt_epi64(all64(n < 0 ? 0 : n), _mm256_setr_epi64x(0, 1, 2, 3));
    return _mm256_maskload_epi64(static_cast<const long long*>(p), mask);
  }
  // The 8 or 4 bytes at p in all lanes of that size.
  static HT_INLINE Int all_pairs(const void* p) { return all64(load_as<int64_t>(p)); }
  static HT_INLINE Int all_words(const void* p) { return all32(load_as<int32_t>(p)); }
  // kLanes bytes each to the first kCount <= 4 of some rows.
  template <int kCount>
  static HT_INLINE void store_rows(void* to, int64_t stride, Int v) {
    const __m128i low = _mm256_castsi256_si128(v), high = _mm256_extracti128_si256(v, 1);
    auto* p = static_cast<uint8_t*>(to);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), low);
    if (kCount > 1) _mm_storeh_pd(reinterpret_cast<double*>(p + stride), _mm_castsi128_pd(low));
    if (kCount > 2) _mm_storel_epi64(reinterpret_cast<__m128i*>(p + 2 * stride), high);
    if (kCount > 3) _mm_storeh_pd(reinterpret_cast<double*>(p + 3 * stride), _mm_castsi128_pd(high));
  }

  static HT_INLINE Int zero() { return _mm256_setzero_si256(); }
  static HT_INLINE Int all8(int32_t x) { return _mm256_set1_epi8(static_cast<char>(x)); }
  static HT_INLINE Int all16(int32_t x) { return _mm256_set1_epi16(static_cast<int16_t>(x)); }
  static HT_INLINE Int all32(int32_t x) { return _mm256_set1_epi32(x); }
  static HT_INLINE Int all64(int64_t x) { return _mm256_set1_epi64x(x); }
  static HT_INLINE Float all(float x) { return _mm256_set1_ps(x); }

  static HT_INLINE Int low8(Int a, Int b) { return _mm256_unpacklo_epi8(a, b); }
  static HT_INLINE Int high8(Int a, Int b) { return _mm256_unpackhi_epi8(a, b); }
  static HT_INLINE Int low16(Int a, Int b) { return _mm256_unpacklo_epi16(a, b); }
  static HT_INLINE Int high16(Int a, Int b) { return _mm256_unpackhi_epi16(a, b); }
  static HT_INLINE Int pack32(Int a, Int b) { return _mm256_packs_epi32(a, b); }   // int32 to int16, saturating
  static HT_INLINE Int pack16(Int a, Int b) { return _mm256_packus_epi16(a, b); }  // int16 to uint8, saturating
  // kLanes bytes to int32, in order; and what packing four such vectors leaves out of order.
  static HT_INLINE Int widen(const uint8_t* p) {
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  }
  // The same for bytes before `end`.
  static HT_INLINE Int widen_before(const uint8_t* p, const uint8_t* end) {
    if (end - p >= kLanes) return widen(p);
    uint8_t bytes[kLanes] = {};
    __builtin_memcpy(bytes, p, static_cast<size_t>(end - p));
    return widen(bytes);
  }
  // The lower or upper half of the int32 lanes, spread to even lanes; odd ones hold anything.
  static HT_INLINE Int spread_low32(Int v) { return _mm256_cvtepu32_epi64(_mm256_castsi256_si128(v)); }
  static HT_INLINE Int spread_high32(Int v) { return _mm256_cvtepu32_epi64(_mm256_extracti128_si256(v, 1)); }
  // The lower halves of int64, those of b behind those of a.
  static HT_INLINE Int lower_halves(Int a, Int b) {
    const Float mixed = _mm256_shuffle_ps(as_float(a), as_float(b), 0x88);
    return _mm256_permute4x64_epi64(as_int(mixed), 0xD8);
  }
  static HT_INLINE Int sort_packed(Int v) {
    return _mm256_permutevar8x32_epi32(v, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  }

  static HT_INLINE Int exclusive_or(Int a, Int b) { return _mm256_xor_si256(a, b); }
  static HT_INLINE Int max8(Int a, Int b) { return _mm256_max_epu8(a, b); }
  static HT_INLINE Int min8(Int a, Int b) { return _mm256_min_epu8(a, b); }
  static HT_INLINE Int add16(Int a, Int b) { return _mm256_add_epi16(a, b); }
  static HT_INLINE Int sub16(Int a, Int b) { return _mm256_sub_epi16(a, b); }
  static HT_INLINE Int adds16(Int a, Int b) { return _mm256_adds_epi16(a, b); }
  // Products of uint8 and int8, neighbours added: saturates at 16 bits.
  static HT_INLINE Int mul_add8(Int bytes, Int weights) { return _mm256_maddubs_epi16(bytes, weights); }
  static HT_INLINE Int madd16(Int a, Int b) { return _mm256_madd_epi16(a, b); }
  static HT_INLINE Int mul16_low(Int a, Int b) { return _mm256_mullo_epi16(a, b); }
  static HT_INLINE Int mul16_high(Int a, Int b) { return _mm256_mulhi_epi16(a, b); }
  static HT_INLINE Int add32(Int a, Int b) { return _mm256_add_epi32(a, b); }
  static HT_INLINE Int sub32(Int a, Int b) { return _mm256_sub_epi32(a, b); }
  static HT_INLINE Int mul32(Int a, Int b) { return _mm256_mullo_epi32(a, b); }
  static HT_INLINE Int max32(Int a, Int b) { return _mm256_max_epi32(a, b); }
  static HT_INLINE Int min32(Int a, Int b) { return _mm256_min_epi32(a, b); }
  template <int kCount>
  static HT_INLINE Int shift_left32(Int v) {
    return _mm256_slli_epi32(v, kCount);
  }
  static HT_INLINE Int shift_right32(Int v, int32_t count) { return _mm256_sra_epi32(v, _mm_cvtsi32_si128(count)); }
  static HT_INLINE Int add64(Int a, Int b) { return _mm256_add_epi64(a, b); }
  static HT_INLINE Int sub64(Int a, Int b) { return _mm256_sub_epi64(a, b); }
  static HT_INLINE Int shift_left64_each(Int v, Int counts) { return _mm256_sllv_epi64(v, counts); }
  static HT_INLINE Int mul_even32(Int a, Int b) { return _mm256_mul_epi32(a, b); }  // int32 of even lanes to int64
  static HT_INLINE Int odd_to_even32(Int v) { return _mm256_srli_epi64(v, 32); }
  static HT_INLINE Int join32(Int even, Int odd) { return _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA); }
  // The high halves of 64-bit lanes as even and odd 32-bit lanes.
  static HT_INLINE Int join_high32(Int even, Int odd) {
    return _mm256_blend_epi32(_mm256_shuffle_epi32(even, 0xF5), odd, 0xAA);
  }
  static HT_INLINE Int shift_right64(Int v, int32_t count) { return _mm256_srl_epi64(v, _mm_cvtsi32_si128(count)); }
  static HT_INLINE Int shift_right32_each(Int v, Int counts) { return _mm256_srav_epi32(v, counts); }
  static HT_INLINE Int shift_right64_each(Int v, Int counts) { return _mm256_srlv_epi64(v, counts); }
  static HT_INLINE Int sad8(Int a) { return _mm256_sad_epu8(a, zero()); }  // sums of 8 bytes each
  static HT_INLINE int64_t sum64(Int v) {
    const __m128i half = _mm_add_epi64(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    return _mm_cvtsi128_si64(half) + _mm_extract_epi64(half, 1);
  }

  static HT_INLINE Float add(Float a, Float b) { return _mm256_add_ps(a, b); }
  static HT_INLINE Float sub(Float a, Float b) { return _mm256_sub_ps(a, b); }
  static HT_INLINE Float mul(Float a, Float b) { return _mm256_mul_ps(a, b); }
  static HT_INLINE Float div(Float a, Float b) { return _mm256_div_ps(a, b); }
  static HT_INLINE Float max(Float a, Float b) { return _mm256_max_ps(a, b); }
  static HT_INLINE Float min(Float a, Float b) { return _mm256_min_ps(a, b); }
  static HT_INLINE Float nan_to_zero(Float v) { return _mm256_and_ps(v, _mm256_cmp_ps(v, v, _CMP_ORD_Q)); }
  static HT_INLINE Float as_float(Int v) { return _mm256_castsi256_ps(v); }
  static HT_INLINE Int as_int(Float v) { return _mm256_castps_si256(v); }
  static HT_INLINE Float to_float(Int v) { return _mm256_cvtepi32_ps(v); }
  static HT_INLINE Int round(Float v) { return _mm256_cvtps_epi32(v); }  // half to even
};

}  // namespace
}  // namespace halftone::kernels
