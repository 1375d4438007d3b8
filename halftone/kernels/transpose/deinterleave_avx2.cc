#include "halftone/kernels/transpose/transpose.h"
#include "halftone/kernels/vectors_avx2.h"

namespace halftone::kernels {
namespace {

HT_INLINE __m128i load_16(const uint8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
HT_INLINE void store_16(uint8_t* p, __m128i v) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), v); }

// Four pixels, 4 bytes apart, to [a a a a, b b b b, c c c c, d d d d].
HT_INLINE __m128i by_channel(__m128i pixels) {
  return _mm_shuffle_epi8(pixels, _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
}

// 16 pixels of four bytes each, four to a register, to planes.
HT_INLINE void deal_16(const __m128i* pixels, __m128i* planes) {
  const __m128i a = by_channel(pixels[0]), b = by_channel(pixels[1]);
  const __m128i c = by_channel(pixels[2]), d = by_channel(pixels[3]);
  const __m128i ab0 = _mm_unpacklo_epi32(a, b), ab1 = _mm_unpackhi_epi32(a, b);
  const __m128i cd0 = _mm_unpacklo_epi32(c, d), cd1 = _mm_unpackhi_epi32(c, d);
  planes[0] = _mm_unpacklo_epi64(ab0, cd0);
  planes[1] = _mm_unpackhi_epi64(ab0, cd0);
  planes[2] = _mm_unpacklo_epi64(ab1, cd1);
  planes[3] = _mm_unpackhi_epi64(ab1, cd1);
}

void deinterleave_two(const Rows& rows, const uint8_t* from, uint8_t* to) {
  const __m128i by_two = _mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15);
  uint8_t* second = to + rows.to_stride;
  int64_t p = 0;
  for (; p + 16 <= rows.count; p += 16) {
    const __m128i a = _mm_shuffle_epi8(load_16(from + 2 * p), by_two);
    const __m128i b = _mm_shuffle_epi8(load_16(from + 2 * p + 16), by_two);
    store_16(to + p, _mm_unpacklo_epi64(a, b));
    store_16(second + p, _mm_unpackhi_epi64(a, b));
  }
  for (; p < rows.count; ++p) {
    to[p] = from[2 * p];
    second[p] = from[2 * p + 1];
  }
}

}  // namespace

void deinterleave_avx2(const Rows& rows, const uint8_t* from, uint8_t* to) {
  const int64_t n = rows.columns;
  if (n == 2) return deinterleave_two(rows, from, to);
  // Pixels of three bytes are spread to four, the fourth being of no account.
  const __m128i spread = _mm_setr_epi8(0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11);
  int64_t p = 0;
  // Whole registers are read also where 12 bytes count: two more pixels have to be there.
  for (; p + 16 + 2 <= rows.count; p += 16) {
    __m128i pixels[4], planes[4];
    for (int64_t i = 0; i < 4; ++i) {
      pixels[i] = load_16(from + (p + 4 * i) * n);
      if (n == 3) pixels[i] = _mm_shuffle_epi8(pixels[i], spread);
    }
    deal_16(pixels, planes);
    for (int64_t c = 0; c < n; ++c) store_16(to + c * rows.to_stride + p, planes[c]);
  }
  for (; p < rows.count; ++p) {
    for (int64_t c = 0; c < n; ++c) to[c * rows.to_stride + p] = from[p * n + c];
  }
}

}  // namespace halftone::kernels
