// The inner loops of the kernels that multiply in steps (gemm_stepped_blob.h), for any width of vectors. An
// instruction-set file includes vectors_X.h, defines
//   struct Pairs {
//     Int multiply(Int bytes, Int weights);               // vpmaddubsw
//     void store_rows<kCount>(void* to, int64_t stride, Int bytes);  // kLanes bytes each to kCount <= 4 rows
//   };
// and then includes this header.
#pragma once

#include "halftone/kernels/gemm/gemm_stepped_blob.h"
#include "halftone/kernels/requantize_vectors.h"
#include "halftone/kernels/requantizer_vectors.h"
#include "halftone/kernels/unroll.h"

namespace halftone::kernels {
namespace {

using Int = Vectors::Int;
constexpr int64_t kLanes = Vectors::kLanes;
// Accumulators of a block. The other half of AVX2's registers is for two groups' weights and masks.
constexpr int kMostRows = 8;

// Keeps what is computed before it before what follows. Without, GCC starts with the products of all rows and runs out
// of registers.
HT_INLINE void in_order(Int& v) { asm volatile("" : "+x"(v)); }
// Constants are read anew after it: the loops before need their registers.
HT_INLINE void forget_memory() { asm volatile("" ::: "memory"); }

// What is left of a tile's steps.
struct Steps {
  const uint32_t* offsets;
  const std::byte* weights;
};

template <StepKind kKind, int kRows>
HT_INLINE void run_steps(uint32_t count, const uint8_t* const (&rows)[kRows], Steps& steps, Int (&acc)[kRows]) {
  constexpr int kGroups = groups_of(kKind);
  constexpr bool kMasked = is_masked(kKind);
  const Int ones = Vectors::all16(1);
  for (; count != 0; --count) {
    Int weights[kGroups], masks[kGroups];
    uint32_t offsets[kGroups];
    HT_UNROLL for (int g = 0; g < kGroups; ++g) {
      offsets[g] = steps.offsets[g];
      weights[g] = Vectors::load(steps.weights + g * Vectors::kBytes);
      if (kMasked) masks[g] = Vectors::load(steps.weights + (kGroups + g) * Vectors::kBytes);
    }
    steps.offsets += kGroups;
    steps.weights += (kMasked ? 2 : 1) * kGroups * Vectors::kBytes;
    HT_UNROLL for (int r = 0; r < kRows; ++r) {
      Int sum = Vectors::zero();
      HT_UNROLL for (int g = 0; g < kGroups; ++g) {
        Int x = Vectors::all_words(rows[r] + offsets[g]);
        if (kMasked) x = Vectors::exclusive_or(x, masks[g]);
        x = Pairs::multiply(x, weights[g]);
        sum = g == 0 ? x : Vectors::add16(sum, x);
        if (kGroups > 2) in_order(sum);
      }
      acc[r] = Vectors::add32(acc[r], Vectors::madd16(sum, ones));
      in_order(acc[r]);
    }
  }
}

// One tile of a run.
struct Tile {
  const SteppedBlob& blob;
  const GemmRun& run;
  const std::byte* constants;
  const std::byte* weights;
};

// Sums of the `kRows` rows from `row` on.
template <int kRows, bool kOneTap>
HT_INLINE void sum_rows(const Tile& tile, int64_t row, Int (&acc)[kRows]) {
  const int64_t taps = kOneTap ? 1 : tile.blob.taps;
  const uint8_t* const* rows = tile.run.rows + row * taps;
  Steps steps = {reinterpret_cast<const uint32_t*>(tile.constants + tile.blob.steps), tile.weights};
  HT_UNROLL for (int r = 0; r < kRows; ++r) acc[r] = Vectors::load(tile.constants);
  int64_t tap = 0;
  do {
    const uint8_t* x[kRows];
    HT_UNROLL for (int r = 0; r < kRows; ++r) x[r] = rows[r * taps + tap];
    const uint32_t* counts = steps.offsets;
    steps.offsets += kStepKinds;
    run_steps<StepKind::Four>(counts[0], x, steps, acc);
    run_steps<StepKind::Two>(counts[1], x, steps, acc);
    run_steps<StepKind::One>(counts[2], x, steps, acc);
    run_steps<StepKind::TwoMasked>(counts[3], x, steps, acc);
    run_steps<StepKind::OneMasked>(counts[4], x, steps, acc);
  } while (!kOneTap && ++tap < taps);
  forget_memory();
  if (tile.blob.terms != 0) {
    HT_UNROLL for (int r = 0; r < kRows; ++r) {
      const Int terms = Vectors::load(tile.constants + tile.blob.terms);
      acc[r] = Vectors::add32(acc[r], Vectors::mul32(Vectors::all32(tile.run.row_terms[row + r]), terms));
    }
  }
}

template <typename Columns, bool kFit>
struct ToCodes {
  template <int kRows>
  static HT_INLINE void finish(const Tile& tile, int64_t, const Int (&acc)[kRows], std::byte* to, int64_t stride) {
    const SteppedBlob& blob = tile.blob;
    const Columns columns(tile.constants + blob.requantizer, kFit);
    four_rows<0>(columns, Codes(StoredGrid{blob.zero_point, blob.low, blob.high}), acc, to, stride);
  }

 private:
  template <int kRow, int kRows>
  static HT_INLINE void four_rows(const Columns& columns, const Codes& codes, const Int (&acc)[kRows], std::byte* to,
                                  int64_t stride) {
    constexpr int kCount = kRows - kRow < 4 ? kRows - kRow : 4;
    Int steps[4];
    // Missing rows are filled up; they aren't stored.
    HT_UNROLL for (int r = 0; r < 4; ++r) steps[r] =
        r < kCount ? columns.steps(acc[r < kCount ? kRow + r : kRow]) : steps[0];
    const Int packed = codes.pack(steps[0], steps[1], steps[2], steps[3]);
    Pairs::store_rows<kCount>(to, stride, Vectors::sort_packed(packed));
    if constexpr (kRow + 4 < kRows) four_rows<kRow + 4>(columns, codes, acc, to + 4 * stride, stride);
  }
};

struct ToReal {
  template <int kRows>
  static HT_INLINE void finish(const Tile& tile, int64_t row, Int (&acc)[kRows], std::byte* to, int64_t stride) {
    const Vectors::Float multiplier = Vectors::as_float(Vectors::load(tile.constants + tile.blob.requantizer));
    HT_UNROLL for (int r = 0; r < kRows; ++r) {
      Vectors::Float factor = multiplier;
      if (tile.run.row_scales != nullptr) factor = Vectors::mul(Vectors::all(tile.run.row_scales[row + r]), factor);
      Vectors::store(to + r * stride, Vectors::as_int(Vectors::mul(Vectors::to_float(acc[r]), factor)));
    }
  }
};

// Rows from `row` on in blocks of kRows, all columns of the tile.
template <typename Finish, int kRows, bool kOneTap>
void blocks_of_rows(const Tile& tile, int64_t row, int64_t blocks, std::byte* to, int64_t stride) {
  for (; blocks != 0; --blocks, row += kRows, to += kRows * stride) {
    Int acc[kRows];
    sum_rows<kRows, kOneTap>(tile, row, acc);
    Finish::template finish<kRows>(tile, row, acc, to, stride);
  }
}

using BlockRunner = void (*)(const Tile&, int64_t, int64_t, std::byte*, int64_t);

template <typename Finish, bool kOneTap, int kRows>
constexpr void fill(BlockRunner* runners) {
  runners[kRows] = blocks_of_rows<Finish, kRows, kOneTap>;
  if constexpr (kRows > 1) fill<Finish, kOneTap, kRows - 1>(runners);
}

template <typename Finish, bool kOneTap, int kMost>
struct Runners {
  BlockRunner of_rows[kMost + 1] = {};
  constexpr Runners() { fill<Finish, kOneTap, kMost>(of_rows); }
};

// Columns that don't fill a tile take this way.
void narrow_blocks(BlockRunner runner, const Tile& tile, int64_t row, int64_t blocks, int rows, std::byte* to,
                   int64_t bytes) {
  alignas(64) std::byte block[kMostRows * Vectors::kBytes];
  for (; blocks != 0; --blocks, row += rows) {
    runner(tile, row, 1, block, Vectors::kBytes);
    for (int r = 0; r < rows; ++r, to += tile.run.to_stride) __builtin_memcpy(to, block + r * Vectors::kBytes, bytes);
  }
}

// Rows [first, last) of one tile, in as few blocks as possible, of nearly equal height.
template <typename Finish, bool kOneTap, int kMost>
void run_tile(const Tile& tile, int64_t column, int64_t first, int64_t last) {
  static constexpr Runners<Finish, kOneTap, kMost> kRunners;
  const int64_t element = tile.blob.result == GemmResult::Real ? 4 : 1;
  const int64_t columns = tile.blob.columns - column;
  const auto run = [&](int64_t row, int64_t blocks, int64_t rows) {
    std::byte* to = static_cast<std::byte*>(tile.run.to) + row * tile.run.to_stride + column * element;
    const BlockRunner runner = kRunners.of_rows[rows];
    if (columns >= kLanes) {
      runner(tile, row, blocks, to, tile.run.to_stride);
    } else {
      narrow_blocks(runner, tile, row, blocks, static_cast<int>(rows), to, columns * element);
    }
  };
  const int64_t count = last - first, blocks = (count + kMost - 1) / kMost;
  const int64_t rows = count / blocks, higher = count % blocks;
  if (higher != 0) run(first, higher, rows + 1);
  run(first + higher * (rows + 1), blocks - higher, rows);
}

template <typename Finish, bool kOneTap, int kMost = kMostRows>
void run_tiles(const std::byte* packed, const GemmRun& run) {
  const auto& blob = *reinterpret_cast<const SteppedBlob*>(packed);
  const auto* offsets = reinterpret_cast<const TileOffsets*>(packed + sizeof(SteppedBlob));
  // As many rows at a time as stay in the first level of cache while the tiles pass over them.
  constexpr int64_t kCachedBytes = 20 * 1024;
  const int64_t fit = kCachedBytes / (blob.taps * blob.depth) / kMostRows * kMostRows;
  const int64_t chunk = fit < 2 * kMostRows ? 2 * kMostRows : fit > 8 * kMostRows ? 8 * kMostRows : fit;
  for (int64_t row = 0; row < run.row_count; row += chunk) {
    const int64_t last = row + chunk < run.row_count ? row + chunk : run.row_count;
    for (int64_t i = run.first_block; i < run.last_block; ++i) {
      const Tile tile = {blob, run, packed + offsets[i].tile, packed + offsets[i].weights};
      run_tile<Finish, kOneTap, kMost>(tile, i * kLanes, row, last);
    }
  }
}

template <typename Columns>
void run_codes(const SteppedBlob& blob, const std::byte* packed, const GemmRun& run) {
  if (!blob.fit) {
    // Too rare for more code than one row at a time takes.
    run_tiles<ToCodes<Columns, false>, false, 1>(packed, run);
  } else if (blob.taps == 1) {
    run_tiles<ToCodes<Columns, true>, true>(packed, run);
  } else {
    run_tiles<ToCodes<Columns, true>, false>(packed, run);
  }
}

void run_stepped(const std::byte* packed, const GemmRun& run) {
  const auto& blob = *reinterpret_cast<const SteppedBlob*>(packed);
  if (blob.result == GemmResult::Real) {
    run_tiles<ToReal, false>(packed, run);
  } else if (blob.mode == RequantizeMode::Float) {
    run_codes<FloatColumns>(blob, packed, run);
  } else {
    run_codes<DyadicColumns>(blob, packed, run);
  }
}

const char* refuse(const GemmProblem&) { return ""; }
size_t packed_bytes(const GemmProblem& problem) { return stepped_packed_bytes(kLanes, problem); }
void pack(const GemmProblem& problem, std::byte* to) { stepped_pack(kLanes, problem, to); }

}  // namespace
}  // namespace halftone::kernels
