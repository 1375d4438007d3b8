// The inner loops of convolutions and matrix products: rows of contiguous memory, which compilers vectorize.
//
// Integers are multiplied and added modulo 2^bits, so that a sum that overflows is defined; whoever needs exact sums
// proves that they fit.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

namespace halftone::sim::ops {

template <typename T>
inline T multiply_add(T a, T b, T sum) {
  if constexpr (std::is_integral_v<T>) {
    using Unsigned = std::conditional_t<sizeof(T) <= 4, uint32_t, uint64_t>;
    return static_cast<T>(static_cast<Unsigned>(a) * static_cast<Unsigned>(b) + static_cast<Unsigned>(sum));
  } else {
    return a * b + sum;
  }
}

// sums[i] += factor * row[i * stride] for i in [0, count).
template <typename T>
inline void add_scaled(T factor, const T* __restrict row, int64_t stride, T* __restrict sums, int64_t count) {
  if (stride == 1) {
    for (int64_t i = 0; i < count; ++i) sums[i] = multiply_add(factor, row[i], sums[i]);
  } else {
    for (int64_t i = 0; i < count; ++i) sums[i] = multiply_add(factor, row[i * stride], sums[i]);
  }
}

// c[m][n] = sum over k of a[m][k] * b[k][n], all dense and row-major. Each element is summed in T, from 0, with k
// ascending.
template <typename T>
void multiply_matrices(int64_t m, int64_t n, int64_t k, const T* a, const T* b, T* c) {
  for (int64_t row = 0; row < m; ++row) {
    T* sums = c + row * n;
    std::fill_n(sums, n, T{0});
    for (int64_t i = 0; i < k; ++i) add_scaled(a[row * k + i], b + i * n, 1, sums, n);
  }
}

// The transpose of a dense rows x columns matrix.
template <typename T>
void transpose_matrix(int64_t rows, int64_t columns, const T* from, T* to) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) to[c * rows + r] = from[r * columns + c];
  }
}

}  // namespace halftone::sim::ops
