// Products of int16 pairs, for any width of vectors. An instruction-set file includes vectors_X.h, defines
//   struct Pairs { static Int add(Int acc, Int a, Int b); };  // acc + a[2i] * b[2i] + a[2i + 1] * b[2i + 1]
// and then this header. Differences of codes have 9 bits, so that pairs of products are exact.
#pragma once

#include "halftone/kernels/matmul/matmul_scratch.h"
#include "halftone/kernels/requantize_vectors.h"
#include "halftone/kernels/unroll.h"

// Says that a register changes. Without, GCC 12 copies accumulators to memory in each round of the loop, for their use
// behind it.
#if defined(__AVX512F__)
#define HT_KEEP(vector) __asm__("" : "+v"(vector))
#else
#define HT_KEEP(vector) __asm__("" : "+x"(vector))
#endif

namespace halftone::kernels {
namespace {

using Int = Vectors::Int;

constexpr int kVectors = static_cast<int>(kMatMulVectors);
constexpr int64_t kColumns = kVectors * Vectors::kLanes;
constexpr int kMostRows = Vectors::kBytes == 64 ? static_cast<int>(kMatMulRows) : 3;

HT_INLINE void pack_b(const MatMulProblem& problem, const MatMulRun& run, const MatMulScratch& scratch, std::byte* to) {
  const Int zero = Vectors::zero(), words_zero = Vectors::all16(run.b_zero_point);
  const Int bytes_zero = Vectors::all8(run.b_zero_point);
  for (int64_t block = 0; block < scratch.blocks; ++block) {
    const uint8_t* b = run.b + block * kColumns;
    for (int64_t k = 0; k < problem.depth; k += 2, b += 2 * run.b_stride) {
      const Int first = Vectors::load(b);
      const Int second = k + 1 < problem.depth ? Vectors::load(b + run.b_stride) : bytes_zero;
      const Int low = Vectors::low8(first, second), high = Vectors::high8(first, second);
      const Int words[] = {Vectors::low8(low, zero), Vectors::high8(low, zero), Vectors::low8(high, zero),
                           Vectors::high8(high, zero)};
      HT_UNROLL for (int v = 0; v < kVectors; ++v) {
        Vectors::store(to, Vectors::sub16(words[v], words_zero));
        to += Vectors::kBytes;
      }
    }
  }
}

HT_INLINE void widen_a(const MatMulProblem& problem, const MatMulRun& run, const MatMulScratch& scratch, int64_t row,
                       int64_t count, int16_t* to) {
  for (int64_t r = row; r < row + count; ++r, to += 2 * scratch.pairs) {
    const uint8_t* a = run.a + r * run.a_stride;
    const auto zero_point = static_cast<int16_t>(run.a_zero_points[r * run.a_zero_point_step]);
    for (int64_t k = 0; k < problem.depth; ++k) to[k] = static_cast<int16_t>(a[k] - zero_point);
    if (problem.depth % 2 != 0) to[problem.depth] = 0;
  }
}

template <int kRows>
using Tile = Int[kRows][kVectors];

template <int kRows>
HT_INLINE void multiply(const MatMulScratch& scratch, const int16_t* a, const std::byte* b, Tile<kRows>& acc) {
  // GCC must not see that these are zeros: it would call for memset, and leave the accumulators in memory.
  Int zero = Vectors::zero();
  __asm__("" : "+x"(zero));
  HT_UNROLL for (int r = 0; r < kRows; ++r) { HT_UNROLL for (int v = 0; v < kVectors; ++v) acc[r][v] = zero; }
  for (int64_t pair = 0; pair < scratch.pairs; ++pair, a += 2, b += kVectors * Vectors::kBytes) {
    HT_UNROLL for (int r = 0; r < kRows; ++r) {
      const Int two = Vectors::all_words(a + r * 2 * scratch.pairs);
      HT_UNROLL for (int v = 0; v < kVectors; ++v) {
        acc[r][v] = Pairs::add(acc[r][v], two, Vectors::load(b + v * Vectors::kBytes));
        HT_KEEP(acc[r][v]);
      }
    }
  }
}

template <typename Steps>
struct ToCodes {
  ToCodes(const MatMulRun& run) : steps(run.factor, run.grid), codes(run.grid) {}

  HT_INLINE void operator()(const MatMulRun&, int64_t, Int a, Int b, Int c, Int d, std::byte* to,
                            int64_t columns) const {
    const Int bytes = codes.pack(steps(a), steps(b), steps(c), steps(d));
    if (columns >= kColumns) {
      Vectors::store(to, bytes);
    } else {
      Vectors::store_first(to, bytes, columns);
    }
  }
  Steps steps;
  Codes codes;
};

struct ToReal {
  ToReal(const MatMulRun&) {}

  // Words 4 i to 4 i + 3 of vector v belong to columns 16 i + 4 v and the next three.
  HT_INLINE void operator()(const MatMulRun& run, int64_t row, Int a, Int b, Int c, Int d, std::byte* to,
                            int64_t columns) const {
    float multiplier = run.factor.multiplier;
    if (run.row_scales != nullptr) multiplier *= run.row_scales[row];
    float out_of_order[kVectors][Vectors::kLanes], in_order[kColumns];
    const auto put = [&](int v, Int acc) {
      const Vectors::Float real = Vectors::mul(Vectors::to_float(acc), Vectors::all(multiplier));
      Vectors::store(out_of_order[v], Vectors::as_int(real));
    };
    put(0, a);
    put(1, b);
    put(2, c);
    put(3, d);
    for (int v = 0; v < kVectors; ++v) {
      for (int64_t i = 0; i < Vectors::kLanes; i += 4) {
        __builtin_memcpy(in_order + 4 * i + 4 * v, out_of_order[v] + i, 16);
      }
    }
    __builtin_memcpy(to, in_order, static_cast<size_t>(columns < kColumns ? columns : kColumns) * 4);
  }
};

// Not a loop: GCC would unroll it too late to keep the accumulators in registers.
template <int kRow, int kRows, typename Finish>
HT_INLINE void finish_rows(const MatMulRun& run, const Finish& finish, int64_t row, const Tile<kRows>& acc,
                           std::byte* to, int64_t columns) {
  finish(run, row + kRow, acc[kRow][0], acc[kRow][1], acc[kRow][2], acc[kRow][3], to, columns);
  if constexpr (kRow + 1 < kRows) finish_rows<kRow + 1, kRows>(run, finish, row, acc, to + run.to_stride, columns);
}

// A tile of kRows rows, all columns.
template <typename Finish, int kRows>
__attribute__((noinline)) void tile_rows(const MatMulProblem& problem, const MatMulRun& run,
                                         const MatMulScratch& scratch, int64_t row) {
  auto* a = reinterpret_cast<int16_t*>(run.scratch);
  const std::byte* b = run.scratch + scratch.a_bytes;
  widen_a(problem, run, scratch, row, kRows, a);
  const int64_t element = problem.result == MatMulResult::Real ? 4 : 1;
  for (int64_t column = 0; column < problem.columns; column += kColumns) {
    Tile<kRows> acc;
    multiply<kRows>(scratch, a, b, acc);
    b += scratch.pairs * kVectors * Vectors::kBytes;
    // The constants of the end are read here: the loop needs their registers.
    __asm__ volatile("" ::: "memory");
    const Finish finish(run);
    std::byte* to = static_cast<std::byte*>(run.to) + row * run.to_stride + column * element;
    finish_rows<0, kRows>(run, finish, row, acc, to, problem.columns - column);
  }
}

template <typename Finish, int kRows>
void tile_rest(const MatMulProblem& problem, const MatMulRun& run, const MatMulScratch& scratch, int64_t row) {
  if (run.rows - row == kRows) return tile_rows<Finish, kRows>(problem, run, scratch, row);
  if constexpr (kRows > 1) tile_rest<Finish, kRows - 1>(problem, run, scratch, row);
}

template <typename Finish>
void tile_all(const MatMulProblem& problem, const MatMulRun& run) {
  const MatMulScratch scratch = matmul_scratch(problem, Vectors::kLanes);
  pack_b(problem, run, scratch, run.scratch + scratch.a_bytes);
  int64_t row = 0;
  for (; row + kMostRows <= run.rows; row += kMostRows) tile_rows<Finish, kMostRows>(problem, run, scratch, row);
  if constexpr (kMostRows > 1) tile_rest<Finish, kMostRows - 1>(problem, run, scratch, row);
}

void matmul(const MatMulProblem& problem, const MatMulRun& run) {
  if (problem.result == MatMulResult::Real) {
    tile_all<ToReal>(problem, run);
  } else if (problem.mode == RequantizeMode::Float) {
    tile_all<ToCodes<FloatSteps>>(problem, run);
  } else {
    tile_all<ToCodes<DyadicSteps>>(problem, run);
  }
}

}  // namespace
}  // namespace halftone::kernels
