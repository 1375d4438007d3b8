// Products of float matrices, which reconstruction of blocks consists of.
#pragma once

#include <cstdint>

namespace halftone::ptq {

// c(i, j) += sum over k of a(i, k) * b(k, j), for i < m, j < n.
struct MatrixProduct {
  int64_t m = 0, n = 0, k = 0;
  const float* a = nullptr;
  int64_t a_row = 0, a_column = 1;  // a(i, k) = a[i * a_row + k * a_column]
  const float* b = nullptr;
  int64_t b_row = 0;  // see below
  float* c = nullptr;
  int64_t c_row = 0;  // c(i, j) = c[i * c_row + j]
};

// b(k, j) = b[k * b_row + j]; sums over k in their order.
void multiply(const MatrixProduct& product);
// b(k, j) = b[j * b_row + k] and a_column = 1: rows of both are multiplied with each other; 16 sums over k side by
// side, added up in pairs.
//
// Both: the same numbers on every instruction set. Thread safety: results apart. Cost: m n k multiplications.
void multiply_rows(const MatrixProduct& product);

// The same on one instruction set.
struct MultiplyKernels {
  void (*multiply)(const MatrixProduct&);
  void (*multiply_rows)(const MatrixProduct&);
};
MultiplyKernels multiply_kernels_portable();
MultiplyKernels multiply_kernels_avx2();
MultiplyKernels multiply_kernels_avx512();

}  // namespace halftone::ptq
