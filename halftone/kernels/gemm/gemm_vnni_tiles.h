// Products of any depth: a tile of kRows x kVectors accumulators stays in registers over the whole depth. Stands behind
// a definition of Dot, see gemm_vnni.h.
#pragma once

#include "halftone/kernels/gemm/gemm_vnni_finish.h"

// Keeps the compiler from working out all of a series of addresses before a loop, for which there are no registers.
#define HT_HIDE(pointer) __asm__("" : "+r"(pointer))

namespace halftone::kernels {
namespace {

template <int kRows, int kVectors>
HT_INLINE void multiply(const Block& block, int64_t row, Tile<kRows, kVectors>& acc) {
  HT_UNROLL for (int v = 0; v < kVectors; ++v) {
    const Vectors::Int bias = Vectors::load(block.constants + v * block.blob.vector_bytes);
    HT_UNROLL for (int r = 0; r < kRows; ++r) acc[r][v] = bias;
  }
  const int64_t taps = block.blob.taps, bytes = block.blob.steps * kVnniStep;
  const int8_t* weights = block.weights;
  const uint8_t* const* taps_of_row = block.run.rows + row * taps;
  for (int64_t tap = 0; tap < taps; ++tap) {
    const uint8_t* x[kRows];
    const uint8_t* const* p = taps_of_row + tap;
    HT_UNROLL for (int r = 0; r < kRows; ++r) {
      x[r] = *p;
      p += taps;
      HT_HIDE(p);
    }
    for (int64_t d = 0; d < bytes; d += kVnniStep) {
      Vectors::Int w[kVectors];
      HT_UNROLL for (int v = 0; v < kVectors; ++v) w[v] = Vectors::load(weights + v * Vectors::kBytes);
      HT_UNROLL for (int r = 0; r < kRows; ++r) {
        const Vectors::Int four = Vectors::all_words(x[r] + d);
        HT_UNROLL for (int v = 0; v < kVectors; ++v) acc[r][v] = Dot::dot(acc[r][v], four, w[v]);
      }
      weights += kVectors * Vectors::kBytes;
    }
  }
  if (block.blob.terms != 0) {
    HT_UNROLL for (int v = 0; v < kVectors; ++v) {
      const Vectors::Int terms = Vectors::load(block.constants + v * block.blob.vector_bytes + block.blob.terms);
      HT_UNROLL for (int r = 0; r < kRows; ++r) {
        const Vectors::Int all = Vectors::all32(block.run.row_terms[row + r]);
        acc[r][v] = Vectors::add32(acc[r][v], Vectors::mul32(all, terms));
      }
    }
  }
}

// Tiles of kRows rows from `row` to `last`, a multiple of kRows later.
template <typename Finish, int kRows, int kVectors>
void tiles(const Block& block, int64_t row, int64_t last) {
  for (; row < last; row += kRows) {
    Tile<kRows, kVectors> acc;
    multiply<kRows, kVectors>(block, row, acc);
    Finish::template finish<kRows, kVectors>(block, row, acc);
  }
}

using TileRunner = void (*)(const Block&, int64_t, int64_t);

template <typename Finish, int kVectors, int kRows>
constexpr void fill(TileRunner* runners) {
  runners[kRows] = tiles<Finish, kRows, kVectors>;
  if constexpr (kRows > 1) fill<Finish, kVectors, kRows - 1>(runners);
}

// All rows in tiles of nearly the same number of rows.
template <typename Finish, int kVectors>
void rows(const Block& block) {
  constexpr int kMost = Dot::kRows[kVectors];
  struct Runners {
    TileRunner by_rows[kMost + 1] = {};
    constexpr Runners() { fill<Finish, kVectors, kMost>(by_rows); }
  };
  static constexpr Runners kRunners;
  const int64_t count = block.run.row_count, number = (count + kMost - 1) / kMost;
  if (number == 0) return;
  const int64_t height = count / number, higher = (count % number) * (height + 1);
  if (higher > 0) kRunners.by_rows[height + 1](block, 0, higher);
  kRunners.by_rows[height](block, higher, count);
}

template <typename Finish, int kVectors>
void tiles_by_vectors(const Block& block, int64_t vectors) {
  if (vectors == kVectors) return rows<Finish, kVectors>(block);
  if constexpr (kVectors > 1) tiles_by_vectors<Finish, kVectors - 1>(block, vectors);
}

}  // namespace
}  // namespace halftone::kernels
