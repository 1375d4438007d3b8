// Vectors of 32 and 64 bytes under common names, as far as the templates of this family need them. Included by
// sources that are compiled for AVX2 and higher levels only.
//
// Everything lies in an unnamed namespace: code compiled for one instruction-set level must not be shared with sources
// compiled for another.
#pragma once

#include <immintrin.h>

#include <cstdint>

#define HT_INLINE inline __attribute__((always_inline))
#define HT_INLINE_LAMBDA __attribute__((always_inline))

namespace halftone::kernels {
namespace {

#ifdef __AVX512VL__
inline constexpr int kRegisters = 32;
#else
inline constexpr int kRegisters = 16;
#endif

struct Lanes32 {
  using Int = __m256i;
  using Float = __m256;
  static constexpr int kBytes = 32;

  static HT_INLINE Int load(const void* p) { return _mm256_loadu_si256(static_cast<const Int*>(p)); }
  static HT_INLINE Float load_float(const void* p) { return _mm256_loadu_ps(static_cast<const float*>(p)); }
  static HT_INLINE void store(void* p, Int v) { _mm256_storeu_si256(static_cast<Int*>(p), v); }
  static HT_INLINE Int zero() { return _mm256_setzero_si256(); }
  static HT_INLINE Int all8(int32_t x) { return _mm256_set1_epi8(static_cast<char>(x)); }
  static HT_INLINE Int all16(int32_t x) { return _mm256_set1_epi16(static_cast<int16_t>(x)); }
  static HT_INLINE Int low8(Int a, Int b) { return _mm256_unpacklo_epi8(a, b); }
  static HT_INLINE Int high8(Int a, Int b) { return _mm256_unpackhi_epi8(a, b); }
  static HT_INLINE Int low16(Int a, Int b) { return _mm256_unpacklo_epi16(a, b); }
  static HT_INLINE Int high16(Int a, Int b) { return _mm256_unpackhi_epi16(a, b); }
  static HT_INLINE Int pack32(Int a, Int b) { return _mm256_packs_epi32(a, b); }
  static HT_INLINE Int pack16(Int a, Int b) { return _mm256_packus_epi16(a, b); }
  static HT_INLINE Int max8(Int a, Int b) { return _mm256_max_epu8(a, b); }
  static HT_INLINE Int min8(Int a, Int b) { return _mm256_min_epu8(a, b); }
  static HT_INLINE Int adds16(Int a, Int b) { return _mm256_adds_epi16(a, b); }
  static HT_INLINE Int madd16(Int a, Int b) { return _mm256_madd_epi16(a, b); }
  static HT_INLINE Int madd8(Int bytes, Int signed_bytes) { return _mm256_maddubs_epi16(bytes, signed_bytes); }
  static HT_INLINE Int bit_xor(Int a, Int b) { return _mm256_xor_si256(a, b); }
  static HT_INLINE Int add32(Int a, Int b) { return _mm256_add_epi32(a, b); }
  static HT_INLINE Int sub32(Int a, Int b) { return _mm256_sub_epi32(a, b); }
  static HT_INLINE Int max32(Int a, Int b) { return _mm256_max_epi32(a, b); }
  static HT_INLINE Int min32(Int a, Int b) { return _mm256_min_epi32(a, b); }
#ifdef __AVX512VNNI__
  static HT_INLINE Int dot(Int sum, Int codes, Int weights) { return _mm256_dpbusd_epi32(sum, codes, weights); }
#elif defined(__AVXVNNI__)
  static HT_INLINE Int dot(Int sum, Int codes, Int weights) { return _mm256_dpbusd_avx_epi32(sum, codes, weights); }
#endif
  static HT_INLINE Int mul_even32(Int a, Int b) { return _mm256_mul_epi32(a, b); }  // int32 of even lanes to int64
  static HT_INLINE Int odd32(Int v) { return _mm256_srli_epi64(v, 32); }            // odd lanes moved to even ones
  // The upper halves of int64, to even and odd lanes of int32.
  static HT_INLINE Int high_halves(Int even, Int odd) { return _mm256_blend_epi32(odd32(even), odd, 0xAA); }
  static HT_INLINE Int shift_left32(Int v, Int counts) { return _mm256_sllv_epi32(v, counts); }
  static HT_INLINE Int shift_right32(Int v, Int counts) { return _mm256_srav_epi32(v, counts); }
  static HT_INLINE Int halve16(Int v) { return _mm256_srai_epi16(v, 1); }
  static HT_INLINE Float to_float(Int v) { return _mm256_cvtepi32_ps(v); }
  static HT_INLINE Int round(Float v) { return _mm256_cvtps_epi32(v); }  // half to even
  static HT_INLINE Float mul(Float a, Float b) { return _mm256_mul_ps(a, b); }
  static HT_INLINE void store_floats(float* p, Float v) { _mm256_storeu_ps(p, v); }

  // The first n bytes.
  static HT_INLINE void store_first(uint8_t* p, Int v, int64_t n) {
#ifdef __AVX512BW__
    _mm256_mask_storeu_epi8(p, static_cast<__mmask32>((uint64_t{1} << n) - 1), v);
#else
    __m128i half = _mm256_castsi256_si128(v);
    if (n >= 16) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(p), half);
      half = _mm256_extracti128_si256(v, 1);
      p += 16;
      n -= 16;
    }
    if (n >= 8) {
      _mm_storel_epi64(reinterpret_cast<__m128i*>(p), half);
      half = _mm_unpackhi_epi64(half, half);
      p += 8;
      n -= 8;
    }
    auto rest = static_cast<uint64_t>(_mm_cvtsi128_si64(half));
    for (int64_t i = 0; i < n; ++i, rest >>= 8) p[i] = static_cast<uint8_t>(rest);
#endif
  }
};

#ifdef __AVX512BW__
struct Lanes64 {
  using Int = __m512i;
  using Float = __m512;
  static constexpr int kBytes = 64;

  static HT_INLINE Int load(const void* p) { return _mm512_loadu_si512(p); }
  static HT_INLINE Float load_float(const void* p) { return _mm512_loadu_ps(p); }
  static HT_INLINE void store(void* p, Int v) { _mm512_storeu_si512(p, v); }
  static HT_INLINE Int zero() { return _mm512_setzero_si512(); }
  static HT_INLINE Int all8(int32_t x) { return _mm512_set1_epi8(static_cast<char>(x)); }
  static HT_INLINE Int all16(int32_t x) { return _mm512_set1_epi16(static_cast<int16_t>(x)); }
  static HT_INLINE Int low8(Int a, Int b) { return _mm512_unpacklo_epi8(a, b); }
  static HT_INLINE Int high8(Int a, Int b) { return _mm512_unpackhi_epi8(a, b); }
  static HT_INLINE Int low16(Int a, Int b) { return _mm512_unpacklo_epi16(a, b); }
  static HT_INLINE Int high16(Int a, Int b) { return _mm512_unpackhi_epi16(a, b); }
  static HT_INLINE Int pack32(Int a, Int b) { return _mm512_packs_epi32(a, b); }
  static HT_INLINE Int pack16(Int a, Int b) { return _mm512_packus_epi16(a, b); }
  static HT_INLINE Int max8(Int a, Int b) { return _mm512_max_epu8(a, b); }
  static HT_INLINE Int min8(Int a, Int b) { return _mm512_min_epu8(a, b); }
  static HT_INLINE Int adds16(Int a, Int b) { return _mm512_adds_epi16(a, b); }
  static HT_INLINE Int madd16(Int a, Int b) { return _mm512_madd_epi16(a, b); }
  static HT_INLINE Int madd8(Int bytes, Int signed_bytes) { return _mm512_maddubs_epi16(bytes, signed_bytes); }
  static HT_INLINE Int bit_xor(Int a, Int b) { return _mm512_xor_si512(a, b); }
  static HT_INLINE Int add32(Int a, Int b) { return _mm512_add_epi32(a, b); }
  static HT_INLINE Int sub32(Int a, Int b) { return _mm512_sub_epi32(a, b); }
  static HT_INLINE Int max32(Int a, Int b) { return _mm512_max_epi32(a, b); }
  static HT_INLINE Int min32(Int a, Int b) { return _mm512_min_epi32(a, b); }
#ifdef __AVX512VNNI__
  static HT_INLINE Int dot(Int sum, Int codes, Int weights) { return _mm512_dpbusd_epi32(sum, codes, weights); }
#endif
  static HT_INLINE Int mul_even32(Int a, Int b) { return _mm512_mul_epi32(a, b); }
  static HT_INLINE Int odd32(Int v) { return _mm512_srli_epi64(v, 32); }
  static HT_INLINE Int high_halves(Int even, Int odd) { return _mm512_mask_blend_epi32(0xAAAA, odd32(even), odd); }
  static HT_INLINE Int shift_left32(Int v, Int counts) { return _mm512_sllv_epi32(v, counts); }
  static HT_INLINE Int shift_right32(Int v, Int counts) { return _mm512_srav_epi32(v, counts); }
  static HT_INLINE Int halve16(Int v) { return _mm512_srai_epi16(v, 1); }
  static HT_INLINE Float to_float(Int v) { return _mm512_cvtepi32_ps(v); }
  static HT_INLINE Int round(Float v) { return _mm512_cvtps_epi32(v); }
  static HT_INLINE Float mul(Float a, Float b) { return _mm512_mul_ps(a, b); }
  static HT_INLINE void store_floats(float* p, Float v) { _mm512_storeu_ps(p, v); }

  static HT_INLINE void store_first(uint8_t* p, Int v, int64_t n) {
    _mm512_mask_storeu_epi8(p, n == 64 ? ~__mmask64{0} : (__mmask64{1} << n) - 1, v);
  }
};
#endif

}  // namespace
}  // namespace halftone::kernels
