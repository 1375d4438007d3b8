// Products of matrices on one instruction set; included by the sources that are compiled for it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "halftone/ptq/blocks/multiply.h"

namespace halftone::ptq {
namespace {  // each instruction set has its own

// 16 numbers side by side on every instruction set, so that sums come out the same on all of them.
constexpr int64_t kLanes = 16;
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float))));

// Rows x (16 Vectors) sums at a time, over all of k.
template <int Rows, int Vectors>
inline void multiply_tile(const MatrixProduct& p, int64_t row, int64_t column) {
  Lanes sums[Rows][Vectors] = {};
  const float* a = p.a + row * p.a_row;
  const float* b = p.b + column;
  for (int64_t k = 0; k < p.k; ++k, a += p.a_column, b += p.b_row) {
    Lanes wide[Vectors];
    for (int v = 0; v < Vectors; ++v) std::memcpy(&wide[v], b + v * kLanes, sizeof(Lanes));
    for (int r = 0; r < Rows; ++r) {
      for (int v = 0; v < Vectors; ++v) sums[r][v] += a[r * p.a_row] * wide[v];
    }
  }
  for (int r = 0; r < Rows; ++r) {
    float* c = p.c + (row + r) * p.c_row + column;
    for (int v = 0; v < Vectors; ++v) {
      Lanes old;
      std::memcpy(&old, c + v * kLanes, sizeof(Lanes));
      old += sums[r][v];
      std::memcpy(c + v * kLanes, &old, sizeof(Lanes));
    }
  }
}

template <int Rows, int Vectors>
inline void multiply_columns(const MatrixProduct& p, int64_t column) {
  int64_t row = 0;
  for (; row + Rows <= p.m; row += Rows) multiply_tile<Rows, Vectors>(p, row, column);
  for (; row < p.m; ++row) multiply_tile<1, Vectors>(p, row, column);
}

template <int Rows, int Vectors>
inline void multiply_all(const MatrixProduct& p) {
  int64_t column = 0;
  for (; column + Vectors * kLanes <= p.n; column += Vectors * kLanes) multiply_columns<Rows, Vectors>(p, column);
  for (; column + kLanes <= p.n; column += kLanes) multiply_columns<Rows, 1>(p, column);
  for (int64_t row = 0; row < p.m && column < p.n; ++row) {
    float sums[kLanes] = {};
    for (int64_t k = 0; k < p.k; ++k) {
      const float factor = p.a[row * p.a_row + k * p.a_column];
      for (int64_t j = column; j < p.n; ++j) sums[j - column] += factor * p.b[k * p.b_row + j];
    }
    for (int64_t j = column; j < p.n; ++j) p.c[row * p.c_row + j] += sums[j - column];
  }
}

inline float sum_of(const Lanes& lanes) {
  float numbers[kLanes];
  std::memcpy(numbers, &lanes, sizeof(Lanes));
  for (int64_t half = kLanes / 2; half > 0; half /= 2) {
    for (int64_t i = 0; i < half; ++i) numbers[i] += numbers[i + half];
  }
  return numbers[0];
}

// Rows x Columns dot products at a time.
template <int Rows, int Columns>
inline void dot_tile(const MatrixProduct& p, int64_t row, int64_t column) {
  Lanes sums[Rows][Columns] = {};
  const float* a = p.a + row * p.a_row;
  const float* b = p.b + column * p.b_row;
  int64_t k = 0;
  for (; k + kLanes <= p.k; k += kLanes) {
    Lanes left[Rows], right[Columns];
    for (int r = 0; r < Rows; ++r) std::memcpy(&left[r], a + r * p.a_row + k, sizeof(Lanes));
    for (int c = 0; c < Columns; ++c) std::memcpy(&right[c], b + c * p.b_row + k, sizeof(Lanes));
    for (int r = 0; r < Rows; ++r) {
      for (int c = 0; c < Columns; ++c) sums[r][c] += left[r] * right[c];
    }
  }
  for (int r = 0; r < Rows; ++r) {
    for (int c = 0; c < Columns; ++c) {
      float sum = sum_of(sums[r][c]);
      for (int64_t i = k; i < p.k; ++i) sum += a[r * p.a_row + i] * b[c * p.b_row + i];
      p.c[(row + r) * p.c_row + column + c] += sum;
    }
  }
}

template <int Rows, int Columns>
inline void dot_all(const MatrixProduct& p) {
  int64_t row = 0;
  const auto along = [&]<int Tall>(std::integral_constant<int, Tall>) {
    int64_t column = 0;
    for (; column + Columns <= p.n; column += Columns) dot_tile<Tall, Columns>(p, row, column);
    for (; column < p.n; ++column) dot_tile<Tall, 1>(p, row, column);
    row += Tall;
  };
  while (row + Rows <= p.m) along(std::integral_constant<int, Rows>());
  while (row < p.m) along(std::integral_constant<int, 1>());
}

}  // namespace
}  // namespace halftone::ptq
