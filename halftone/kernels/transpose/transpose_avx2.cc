#include "halftone/kernels/transpose/transpose.h"
#include "halftone/kernels/vectors_avx2.h"

namespace halftone::kernels {
namespace {

constexpr int64_t kRows = 16, kColumns = 32;

// Four rounds of dealing row i and row i + 8 together transpose 16 x 16 bytes: each round turns the eight bits of
// (row, column) by one. Both lanes do it for 16 columns of their own.
HT_INLINE void deal(const __m256i* from, __m256i* to) {
  for (int i = 0; i < 8; ++i) {
    to[2 * i] = Vectors::low8(from[i], from[i + 8]);
    to[2 * i + 1] = Vectors::high8(from[i], from[i + 8]);
  }
}

HT_INLINE void store_first(uint8_t* to, __m128i v, int64_t n) {
  if (n == 16) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), v);
  } else {
    Vectors::store_first(to, _mm256_castsi128_si256(v), n);
  }
}

// Up to kRows x kColumns. Rows that are not there are stood in for by the last one.
HT_INLINE void transpose_tile(const Rows& rows, const uint8_t* from, const uint8_t* end, uint8_t* to, int64_t count,
                              int64_t columns) {
  __m256i x[kRows], y[kRows];
  const auto row = [&](int64_t r) { return from + (r < count ? r : count - 1) * rows.from_stride; };
  if (end - row(kRows - 1) >= kColumns) {
    for (int64_t r = 0; r < kRows; ++r) x[r] = Vectors::load(row(r));
  } else {
    for (int64_t r = 0; r < kRows; ++r) x[r] = Vectors::load_before(row(r), end);
  }
  deal(x, y);
  deal(y, x);
  deal(x, y);
  deal(y, x);
  const int64_t low = columns < 16 ? columns : 16;
  for (int64_t c = 0; c < low; ++c) store_first(to + c * rows.to_stride, _mm256_castsi256_si128(x[c]), count);
  for (int64_t c = 16; c < columns; ++c) {
    store_first(to + c * rows.to_stride, _mm256_extracti128_si256(x[c - 16], 1), count);
  }
}

}  // namespace

void transpose_avx2(const Rows& rows, const uint8_t* from, uint8_t* to) {
  const uint8_t* end = from + (rows.count - 1) * rows.from_stride + rows.columns;
  for (int64_t c = 0; c < rows.columns; c += kColumns) {
    const int64_t columns = rows.columns - c < kColumns ? rows.columns - c : kColumns;
    for (int64_t r = 0; r < rows.count; r += kRows) {
      const int64_t count = rows.count - r < kRows ? rows.count - r : kRows;
      transpose_tile(rows, from + r * rows.from_stride + c, end, to + c * rows.to_stride + r, count, columns);
    }
  }
}

}  // namespace halftone::kernels
