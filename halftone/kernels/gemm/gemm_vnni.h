// Products on vpdpbusd (acc + 4 products of uint8 with int8 per 32-bit lane, without saturation), for any width of
// vectors. An instruction-set file includes vectors_X.h, defines
//   struct Dot {
//     static constexpr int kMostVectors;                  // of a column block
//     static constexpr int kRows[kMostVectors + 1];       // rows of a tile by number of vectors; [0] is not used
//     Int dot(Int acc, Int bytes, Int weights);
//     Int permute32(Int words, Int order);
//     using Columns; Columns columns(int64_t count);      // that exist, of the block's
//     void store<kFirst, kBytes>(void* to, Int bytes, Columns);  // as many as exist of kBytes bytes from byte kFirst
//     on void store_words<kVector>(void* to, Float words, Columns);  // the words of one of the block's vectors
//   };
// and then this header. A tile of kRows x kVectors accumulators stays in registers over the whole depth.
#pragma once

#include "halftone/kernels/gemm/gemm_vnni_blob.h"
#include "halftone/kernels/requantizer_vectors.h"
#include "halftone/kernels/unroll.h"

// Keeps the compiler from working out all of a series of addresses before a loop, for which there are no registers.
#define HT_HIDE(pointer) __asm__("" : "+r"(pointer))

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

// Sums to codes. Packing takes up to four vectors: of one row, or where rows are short of several neighbours.
template <typename Columns>
struct ToCodes {
  template <int kRows, int kVectors>
  static HT_INLINE void finish(const Block& block, int64_t row, Tile<kRows, kVectors>& acc) {
    const VnniBlob& blob = block.blob;
    HT_UNROLL for (int v = 0; v < kVectors; ++v) {
      const Columns columns(block.constants + v * blob.vector_bytes + blob.requantizer, blob.fit, blob.zero_point);
      HT_UNROLL for (int r = 0; r < kRows; ++r) acc[r][v] = columns.codes(acc[r][v]);
    }
    const CodePacker codes(blob.low, blob.high);
    constexpr int kTogether = kVectors > 2 ? 1 : 4 / kVectors;
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
        constexpr int kTogether = kVectors > 2 ? 1 : 4 / kVectors;
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
void by_vectors(const Block& block, int64_t vectors) {
  if (vectors == kVectors) return rows<Finish, kVectors>(block);
  if constexpr (kVectors > 1) by_vectors<Finish, kVectors - 1>(block, vectors);
}

template <typename Finish>
void blocks(const std::byte* packed, const GemmRun& run) {
  const auto& blob = *reinterpret_cast<const VnniBlob*>(packed);
  const int64_t element = blob.result == GemmResult::Real ? 4 : 1;
  for (int64_t i = run.first_block; i < run.last_block; ++i) {
    const int64_t first = vnni_first_vector(blob, i), vectors = vnni_first_vector(blob, i + 1) - first;
    const int64_t column = first * Vectors::kLanes, room = vectors * Vectors::kLanes, rest = blob.columns - column;
    const std::byte* weights = packed + blob.weights + first * blob.taps * blob.steps * Vectors::kBytes;
    const Block block = {blob,
                         run,
                         packed + blob.constants + first * blob.vector_bytes,
                         reinterpret_cast<const int8_t*>(weights),
                         static_cast<std::byte*>(run.to) + column * element,
                         Dot::columns(rest < room ? rest : room)};
    by_vectors<Finish, Dot::kMostVectors>(block, vectors);
  }
}

void run_vnni(const std::byte* packed, const GemmRun& run) {
  const auto& blob = *reinterpret_cast<const VnniBlob*>(packed);
  if (blob.result == GemmResult::Real) {
    blocks<ToReal>(packed, run);
  } else if (blob.mode == RequantizeMode::Float) {
    blocks<ToCodes<FloatColumns>>(packed, run);
  } else {
    blocks<ToCodes<DyadicColumns>>(packed, run);
  }
}

}  // namespace
}  // namespace halftone::kernels
