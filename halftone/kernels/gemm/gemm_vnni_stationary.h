// Products of small depth: a block's weights stay in registers, and rows pass one after the other. Sums are short here,
// and their way to codes is as long; tile by tile, one would wait for the other, while of rows a processor has several
// under way. Stands behind a definition of Dot, see gemm_vnni.h.
#pragma once

#include "halftone/kernels/gemm/gemm_vnni_finish.h"

namespace halftone::kernels {
namespace {

template <int kTaps, int kSteps, int kVectors>
using Stationary = Vectors::Int[kTaps * kSteps][kVectors];

template <int kRows, int kTaps, int kSteps, int kVectors>
HT_INLINE void pass(const Block& block, int64_t row, const Stationary<kTaps, kSteps, kVectors>& weights,
                    Tile<kRows, kVectors>& acc) {
  HT_UNROLL for (int v = 0; v < kVectors; ++v) {
    const Vectors::Int bias = Vectors::load(block.constants + v * block.blob.vector_bytes);
    HT_UNROLL for (int r = 0; r < kRows; ++r) acc[r][v] = bias;
  }
  HT_UNROLL for (int t = 0; t < kTaps; ++t) {
    HT_UNROLL for (int s = 0; s < kSteps; ++s) {
      HT_UNROLL for (int r = 0; r < kRows; ++r) {
        const Vectors::Int four = Vectors::all_words(block.run.rows[(row + r) * kTaps + t] + s * kVnniStep);
        HT_UNROLL for (int v = 0; v < kVectors; ++v) {
          acc[r][v] = Dot::dot(acc[r][v], four, weights[t * kSteps + s][v]);
        }
      }
    }
  }
}

template <typename Finish, int kTaps, int kSteps, int kVectors>
void pass_all(const Block& block) {
  Stationary<kTaps, kSteps, kVectors> weights;
  HT_UNROLL for (int s = 0; s < kTaps * kSteps; ++s) {
    HT_UNROLL for (int v = 0; v < kVectors; ++v) {
      weights[s][v] = Vectors::load(block.weights + (s * kVectors + v) * Vectors::kBytes);
    }
  }
  constexpr int kRows = kVectors > 2 ? 2 : rows_together<kVectors>();
  const int64_t count = block.run.row_count;
  // Rows are finished while the next ones are multiplied, so that neither waits for the other.
  int64_t row = 0;
  if (count >= kRows) {
    Tile<kRows, kVectors> before;
    pass<kRows, kTaps, kSteps, kVectors>(block, 0, weights, before);
    for (row = kRows; row + kRows <= count; row += kRows) {
      Tile<kRows, kVectors> acc;
      pass<kRows, kTaps, kSteps, kVectors>(block, row, weights, acc);
      Finish::template finish<kRows, kVectors>(block, row - kRows, before);
      HT_UNROLL for (int r = 0; r < kRows; ++r) {
        HT_UNROLL for (int v = 0; v < kVectors; ++v) before[r][v] = acc[r][v];
      }
    }
    Finish::template finish<kRows, kVectors>(block, row - kRows, before);
  }
  for (; row < count; ++row) {
    Tile<1, kVectors> acc;
    pass<1, kTaps, kSteps, kVectors>(block, row, weights, acc);
    Finish::template finish<1, kVectors>(block, row, acc);
  }
}

template <typename Finish, int kTaps, int kSteps, int kVectors>
void stationary_by_vectors(const Block& block, int64_t vectors) {
  if (vectors == kVectors) return pass_all<Finish, kTaps, kSteps, kVectors>(block);
  if constexpr (kVectors > 1) stationary_by_vectors<Finish, kTaps, kSteps, kVectors - 1>(block, vectors);
}

template <typename Finish, size_t kShape = 0>
void stationary(const Block& block, int64_t vectors) {
  if constexpr (Finish::kCodes && kShape < std::size(kVnniStationary)) {
    constexpr VnniStationary kThis = kVnniStationary[kShape];
    constexpr int kMost = Dot::kStationary / (kThis.taps * kThis.steps);
    if constexpr (kMost > 0) {
      if (block.blob.taps == kThis.taps && block.blob.steps == kThis.steps) {
        constexpr int kVectors = kMost < Dot::kMostVectors ? kMost : Dot::kMostVectors;
        return stationary_by_vectors<Finish, kThis.taps, kThis.steps, kVectors>(block, vectors);
      }
    }
    stationary<Finish, kShape + 1>(block, vectors);
  }
}

}  // namespace
}  // namespace halftone::kernels
