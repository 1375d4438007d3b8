#include "halftone/kernels/transpose/transpose.h"
#include "halftone/kernels/vectors_avx2.h"

namespace halftone::kernels {
namespace {

// 16 pixels of four channels each, four to a register.
HT_INLINE void deal_16(const uint8_t* const* planes, int64_t at, __m128i* pixels) {
  const auto load = [&](int i) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(planes[i] + at)); };
  const __m128i a = load(0), b = load(1), c = load(2), d = load(3);
  const __m128i ab0 = _mm_unpacklo_epi8(a, b), ab1 = _mm_unpackhi_epi8(a, b);
  const __m128i cd0 = _mm_unpacklo_epi8(c, d), cd1 = _mm_unpackhi_epi8(c, d);
  pixels[0] = _mm_unpacklo_epi16(ab0, cd0);
  pixels[1] = _mm_unpackhi_epi16(ab0, cd0);
  pixels[2] = _mm_unpacklo_epi16(ab1, cd1);
  pixels[3] = _mm_unpackhi_epi16(ab1, cd1);
}

void interleave_two(const Rows& rows, const uint8_t* from, uint8_t* to) {
  const auto load = [](const uint8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); };
  const uint8_t* second = from + rows.from_stride;
  int64_t c = 0;
  for (; c + 16 <= rows.columns; c += 16) {
    const __m128i a = load(from + c), b = load(second + c);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 2 * c), _mm_unpacklo_epi8(a, b));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 2 * c + 16), _mm_unpackhi_epi8(a, b));
  }
  for (; c < rows.columns; ++c) {
    to[2 * c] = from[c];
    to[2 * c + 1] = second[c];
  }
}

}  // namespace

void interleave_avx2(const Rows& rows, const uint8_t* from, uint8_t* to) {
  const int64_t n = rows.count;
  if (n == 2) return interleave_two(rows, from, to);
  // A fourth channel of three is dropped again.
  const uint8_t* planes[4] = {from, from + rows.from_stride, from + 2 * rows.from_stride,
                              from + (n == 4 ? 3 : 0) * rows.from_stride};
  const __m128i drop_fourth = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
  int64_t c = 0;
  // Whole registers are stored also where 12 bytes count: the next store covers the rest, which therefore has to be
  // there.
  for (; c + 16 + 2 <= rows.columns; c += 16) {
    __m128i pixels[4];
    deal_16(planes, c, pixels);
    for (int i = 0; i < 4; ++i) {
      const __m128i packed = n == 4 ? pixels[i] : _mm_shuffle_epi8(pixels[i], drop_fourth);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + (c + 4 * i) * n), packed);
    }
  }
  for (; c < rows.columns; ++c) {
    for (int64_t i = 0; i < n; ++i) to[c * n + i] = planes[i][c];
  }
}

}  // namespace halftone::kernels
