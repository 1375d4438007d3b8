// What the kernels on tiles (gemm_tiled_blob.h) share besides their sums, for any width of vectors. Instruction-set
// files include vectors_X.h before it.
#pragma once

#include "halftone/kernels/gemm/gemm_tiled_blob.h"
#include "halftone/kernels/requantize_vectors.h"
#include "halftone/kernels/requantizer_vectors.h"
#include "halftone/kernels/unroll.h"

namespace halftone::kernels {
namespace {

using Int = Vectors::Int;
constexpr int64_t kLanes = Vectors::kLanes;

// One tile of a run.
struct Tile {
  const TiledBlob& blob;
  const GemmRun& run;
  const std::byte* constants;
  const std::byte* weights;
  // Row `row` of the run is rows[row - first_row], in one piece.
  const uint8_t* const* rows;
  int64_t first_row;
};

// Constants are read anew after it: the loops before need their registers.
HT_INLINE void forget_memory() { asm volatile("" ::: "memory"); }

// Sums as they leave the inner loops, of kRows rows from `row` on.
template <int kRows>
HT_INLINE void add_terms(const Tile& tile, int64_t row, Int (&acc)[kRows]) {
  if (tile.blob.terms == 0) return;
  HT_UNROLL for (int r = 0; r < kRows; ++r) {
    const Int terms = Vectors::load(tile.constants + tile.blob.terms);
    acc[r] = Vectors::add32(acc[r], Vectors::mul32(Vectors::all32(tile.run.row_terms[row + r]), terms));
  }
}

template <typename Columns, bool kFit>
struct ToCodes {
  static constexpr bool kRare = !kFit;

  template <int kRows>
  static HT_INLINE void finish(const Tile& tile, int64_t, const Int (&acc)[kRows], std::byte* to, int64_t stride) {
    const TiledBlob& blob = tile.blob;
    const Columns columns(tile.constants + blob.requantizer, kFit);
    four_rows<0>(columns, Codes(StoredGrid{blob.zero_point, blob.low, blob.high}), acc, to, stride);
  }

 private:
  template <int kRow, int kRows>
  static HT_INLINE void four_rows(const Columns& columns, const Codes& codes, const Int (&acc)[kRows], std::byte* to,
                                  int64_t stride) {
    constexpr int kCount = kRows - kRow < 4 ? kRows - kRow : 4;
    // Missing rows are filled up; they aren't stored.
    Int steps[4];
    HT_UNROLL for (int r = 0; r < 4; ++r) {
      steps[r] = r < kCount ? columns.steps(acc[r < kCount ? kRow + r : kRow]) : steps[0];
    }
    const Int packed = codes.pack(steps[0], steps[1], steps[2], steps[3]);
    Vectors::store_rows<kCount>(to, stride, Vectors::sort_packed(packed));
    if constexpr (kRow + 4 < kRows) four_rows<kRow + 4>(columns, codes, acc, to + 4 * stride, stride);
  }
};

struct ToReal {
  static constexpr bool kRare = false;

  template <int kRows>
  static HT_INLINE void finish(const Tile& tile, int64_t row, const Int (&acc)[kRows], std::byte* to, int64_t stride) {
    const Vectors::Float multiplier = Vectors::as_float(Vectors::load(tile.constants + tile.blob.requantizer));
    HT_UNROLL for (int r = 0; r < kRows; ++r) {
      Vectors::Float factor = multiplier;
      if (tile.run.row_scales != nullptr) factor = Vectors::mul(Vectors::all(tile.run.row_scales[row + r]), factor);
      Vectors::store(to + r * stride, Vectors::as_int(Vectors::mul(Vectors::to_float(acc[r]), factor)));
    }
  }
};

// Calls runner.run<Finish>() with the kind of results that the blob asks for. Runners needn't be fast where
// Finish::kRare is true.
template <typename Runner>
void with_finish(const TiledBlob& blob, const Runner& runner) {
  if (blob.result == GemmResult::Real) {
    runner.template run<ToReal>();
  } else if (blob.mode == RequantizeMode::Float) {
    blob.fit ? runner.template run<ToCodes<FloatColumns, true>>() : runner.template run<ToCodes<FloatColumns, false>>();
  } else {
    blob.fit ? runner.template run<ToCodes<DyadicColumns, true>>()
             : runner.template run<ToCodes<DyadicColumns, false>>();
  }
}

// Rows from `row` on in blocks of kRows, all lanes of the tile. Sums::sum<kRows>(tile, row, acc) is the inner loop.
template <typename Sums, typename Finish, int kRows>
void blocks_of_rows(const Tile& tile, int64_t row, int64_t blocks, std::byte* to, int64_t stride) {
  for (; blocks != 0; --blocks, row += kRows, to += kRows * stride) {
    Int acc[kRows];
    Sums::template sum<kRows>(tile, row, acc);
    forget_memory();
    add_terms<kRows>(tile, row, acc);
    Finish::template finish<kRows>(tile, row, acc, to, stride);
  }
}

using BlockRunner = void (*)(const Tile&, int64_t, int64_t, std::byte*, int64_t);

template <typename Sums, typename Finish, int kRows>
constexpr void fill(BlockRunner* runners) {
  runners[kRows] = blocks_of_rows<Sums, Finish, kRows>;
  if constexpr (kRows > 1) fill<Sums, Finish, kRows - 1>(runners);
}

template <typename Sums, typename Finish, int kMost>
struct BlockRunners {
  BlockRunner of_rows[kMost + 1] = {};
  constexpr BlockRunners() { fill<Sums, Finish, kMost>(of_rows); }
};

// A tile with lanes to spare: by way of a block that has room for them.
void narrow_blocks(BlockRunner runner, const Tile& tile, int64_t row, int64_t blocks, int64_t rows, std::byte* to,
                   int64_t bytes) {
  constexpr int kMostRows = 16;
  alignas(64) std::byte block[kMostRows * Vectors::kBytes];
  for (; blocks != 0; --blocks, row += rows) {
    runner(tile, row, 1, block, Vectors::kBytes);
    for (int64_t r = 0; r < rows; ++r, to += tile.run.to_stride) {
      __builtin_memcpy(to, block + r * Vectors::kBytes, static_cast<size_t>(bytes));
    }
  }
}

// Rows [first, last) of a tile in as few blocks of at most kMost rows as possible, of nearly equal height.
template <typename Sums, typename Finish, int kMost>
void run_tile(const Tile& tile, int64_t column, int64_t first, int64_t last) {
  static constexpr BlockRunners<Sums, Finish, kMost> kRunners;
  const int64_t element = bytes_of(tile.blob.result);
  const int64_t columns = tile.blob.columns - column;
  const auto run = [&](int64_t row, int64_t blocks, int64_t rows) {
    std::byte* to = static_cast<std::byte*>(tile.run.to) + row * tile.run.to_stride + column * element;
    const BlockRunner runner = kRunners.of_rows[rows];
    if (columns >= kLanes) {
      runner(tile, row, blocks, to, tile.run.to_stride);
    } else {
      narrow_blocks(runner, tile, row, blocks, rows, to, columns * element);
    }
  };
  const int64_t count = last - first, blocks = (count + kMost - 1) / kMost;
  const int64_t rows = count / blocks, higher = count % blocks;
  if (higher != 0) run(first, higher, rows + 1);
  run(first + higher * (rows + 1), blocks - higher, rows);
}

}  // namespace
}  // namespace halftone::kernels
