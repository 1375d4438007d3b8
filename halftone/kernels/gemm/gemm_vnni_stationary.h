// Products of small depth: a block's weights stay in registers, and rows pass one after the other. Sums are short here,
// and their way to codes is as long; tile by tile, one would wait for the other, while of rows a processor has several
// under way. Stands behind a definition of Dot, see gemm_vnni.h.
#pragma once

#include "halftone/kernels/gemm/gemm_vnni_finish.h"

namespace halftone::kernels {
namespace {

template <int kTaps, int kSteps, int kVectors>
using Stationary = Vectors::Int[kTaps * kSteps][kVectors];

template <typename Finish, int kRows, int kTaps, int kSteps, int kVectors>
HT_INLINE void pass(const Block& block, int64_t row, const Stationary<kTaps, kSteps, kVectors>& weights) {
  Tile<kRows, kVectors> acc;
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
  Finish::template finish<kRows, kVectors>(block, row, acc);
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
  int64_t row = 0;
  for (; row + kRows <= block.run.row_count; row += kRows) {
    pass<Finish, kRows, kTaps, kSteps, kVectors>(block, row, weights);
  }
  for (; row < block.run.row_count; ++row) pass<Finish, 1, kTaps, kSteps, kVectors>(block, row, weights);
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
