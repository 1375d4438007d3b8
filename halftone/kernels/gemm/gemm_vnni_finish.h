// The end of a product on vpdpbusd: sums in registers to codes or real numbers in memory. Stands behind a definition of
// Dot, see gemm_vnni.h.
#pragma once

#include "halftone/kernels/gemm/gemm_vnni_blob.h"
#include "halftone/kernels/requantizer_vectors.h"
#include "halftone/kernels/unroll.h"

namespace halftone::kernels {
namespace {

struct Block {
  const VnniBlob& blob;
  const GemmRun& run;
  const std::byte* constants;
  const int8_t* weights;
  std::byte* to;  // row 0
  Dot::Columns columns;
};

template <int kRows, int kVectors>
using Tile = Vectors::Int[kRows][kVectors];

// Rows whose codes are packed together.
template <int kVectors>
constexpr int rows_together() {
  return kVectors > 2 ? 1 : 4 / kVectors;
}

// Sums to codes. Packing takes up to four vectors: of one row, or where rows are short of several neighbours.
template <typename Columns>
struct ToCodes {
  static constexpr bool kCodes = true;

  template <int kRows, int kVectors>
  static HT_INLINE void finish(const Block& block, int64_t row, Tile<kRows, kVectors>& acc) {
    const VnniBlob& blob = block.blob;
    HT_UNROLL for (int v = 0; v < kVectors; ++v) {
      const Columns columns(block.constants + v * blob.vector_bytes + blob.requantizer, blob.fit, blob.zero_point);
      HT_UNROLL for (int r = 0; r < kRows; ++r) acc[r][v] = columns.codes(acc[r][v]);
    }
    const CodePacker codes(blob.low, blob.high);
    constexpr int kTogether = rows_together<kVectors>();
    std::byte* to = block.to + row * block.run.to_stride;
    HT_UNROLL for (int r = 0; r < kRows; r += kTogether) {
      // What is missing is anything at hand: it isn't stored.
      const auto part = [&](int i) __attribute__((always_inline)) {
        const int at = r + i / kVectors < kRows ? r + i / kVectors : r;
        return acc[at][i / kVectors < kTogether ? i % kVectors : 0];
      };
      const Vectors::Int bytes = sort<kVectors>(codes.pack(part(0), part(1), part(2), part(3)));
      store<kVectors, kTogether, 0>(block, to, bytes, kRows - r);
      to += kTogether * block.run.to_stride;
    }
  }

 private:
  static constexpr int kParts = Vectors::kLanes / 4;  // 128-bit lanes

  // Rows one after the other, columns in order.
  template <int kVectors>
  static HT_INLINE Vectors::Int sort(Vectors::Int packed) {
    if constexpr (kVectors == 4) return packed;
    struct Order {
      alignas(64) int32_t words[Vectors::kLanes] = {};
      constexpr Order() {
        constexpr int kTogether = rows_together<kVectors>();
        for (int row = 0; row < kTogether; ++row) {
          for (int part = 0; part < kParts; ++part) {
            for (int v = 0; v < kVectors; ++v) {
              words[(row * kParts + part) * kVectors + v] = 4 * part + row * kVectors + v;
            }
          }
        }
      }
    };
    static constexpr Order kOrder;
    return Dot::permute32(packed, Vectors::load(kOrder.words));
  }

  template <int kVectors, int kTogether, int kRow>
  static HT_INLINE void store(const Block& block, std::byte* to, Vectors::Int bytes, int rows) {
    constexpr int kBytes = kVectors * static_cast<int>(Vectors::kLanes);
    if (kRow >= rows) return;
    Dot::store<kRow * kBytes, kBytes>(to, bytes, block.columns);
    if constexpr (kRow + 1 < kTogether) {
      store<kVectors, kTogether, kRow + 1>(block, to + block.run.to_stride, bytes, rows);
    }
  }
};

struct ToReal {
  static constexpr bool kCodes = false;

  template <int kRows, int kVectors>
  static HT_INLINE void finish(const Block& block, int64_t row, Tile<kRows, kVectors>& acc) {
    finish_vector<0>(block, row, acc);
  }

 private:
  template <int kVector, int kRows, int kVectors>
  static HT_INLINE void finish_vector(const Block& block, int64_t row, Tile<kRows, kVectors>& acc) {
    const Vectors::Float multiplier =
        Vectors::as_float(Vectors::load(block.constants + kVector * block.blob.vector_bytes + block.blob.requantizer));
    HT_UNROLL for (int r = 0; r < kRows; ++r) {
      Vectors::Float factor = multiplier;
      if (block.run.row_scales != nullptr) {
        factor = Vectors::mul(Vectors::all(block.run.row_scales[row + r]), factor);
      }
      Dot::store_words<kVector>(block.to + (row + r) * block.run.to_stride + kVector * Vectors::kBytes,
                                Vectors::mul(Vectors::to_float(acc[r][kVector]), factor), block.columns);
    }
    if constexpr (kVector + 1 < kVectors) finish_vector<kVector + 1>(block, row, acc);
  }
};

}  // namespace
}  // namespace halftone::kernels
