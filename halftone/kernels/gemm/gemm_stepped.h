// The inner loops of the kernels that multiply in steps (gemm_stepped_blob.h), for any width of vectors.
// Instruction-set files include vectors_X.h before it.
#pragma once

#include "halftone/kernels/gemm/gemm_stepped_blob.h"
#include "halftone/kernels/gemm/gemm_tiled.h"

namespace halftone::kernels {
namespace {

// Accumulators of a block. The other half of AVX2's registers is for two groups' weights and masks.
constexpr int kMostRows = 8;

// Keeps what is computed before it before what follows. Without, GCC starts with the products of all rows and runs out
// of registers.
HT_INLINE void in_order(Int& v) { asm volatile("" : "+x"(v)); }

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
        x = Vectors::mul_add8(x, weights[g]);
        sum = g == 0 ? x : Vectors::add16(sum, x);
        if (kGroups > 2) in_order(sum);
      }
      acc[r] = Vectors::add32(acc[r], Vectors::madd16(sum, ones));
      in_order(acc[r]);
    }
  }
}

struct SteppedSums {
  template <int kRows>
  static HT_INLINE void sum(const Tile& tile, int64_t row, Int (&acc)[kRows]) {
    const uint8_t* const* rows = tile.rows + (row - tile.first_row);
    const auto* counts = reinterpret_cast<const uint32_t*>(tile.constants + tile.blob.constant_bytes);
    Steps steps = {counts + kStepKinds, tile.weights};
    const uint8_t* x[kRows];
    HT_UNROLL for (int r = 0; r < kRows; ++r) x[r] = rows[r];
    HT_UNROLL for (int r = 0; r < kRows; ++r) acc[r] = Vectors::load(tile.constants);
    run_steps<StepKind::Four>(counts[0], x, steps, acc);
    run_steps<StepKind::Two>(counts[1], x, steps, acc);
    run_steps<StepKind::One>(counts[2], x, steps, acc);
    run_steps<StepKind::TwoMasked>(counts[3], x, steps, acc);
    run_steps<StepKind::OneMasked>(counts[4], x, steps, acc);
  }
};

// As many rows at a time as stay in the first level of cache while the tiles pass over them.
constexpr int kMostCached = 8 * kMostRows;
HT_INLINE int64_t cached_rows(const TiledBlob& blob) {
  constexpr int64_t kCachedBytes = 20 * 1024;
  const int64_t fit = kCachedBytes / (blob.taps * blob.depth) / kMostRows * kMostRows;
  return fit < 2 * kMostRows ? 2 * kMostRows : fit > kMostCached ? kMostCached : fit;
}

// From one row in scratch to the next; vectors may be written beyond the end.
HT_INLINE int64_t gathered_bytes(const TiledBlob& blob) { return tile_aligned(blob.taps * blob.depth + kTileAlign); }

struct SteppedRunner {
  const std::byte* packed;
  const GemmRun& run_;

  template <typename Finish>
  void run() const {
    const auto& blob = *reinterpret_cast<const TiledBlob*>(packed);
    const auto* offsets = reinterpret_cast<const TileOffsets*>(packed + sizeof(SteppedBlob));
    const int64_t chunk = cached_rows(blob);
    for (int64_t row = 0; row < run_.row_count; row += chunk) {
      const int64_t last = row + chunk < run_.row_count ? row + chunk : run_.row_count;
      const uint8_t* gathered[kMostCached];
      const uint8_t* const* rows = blob.taps == 1 ? run_.rows + row : gathered;
      if (blob.taps != 1) gather_rows(blob, row, last, gathered);
      for (int64_t i = run_.first_block; i < run_.last_block; ++i) {
        const Tile tile = {blob, run_, packed + offsets[i].tile, packed + offsets[i].weights, rows, row};
        run_tile<SteppedSums, Finish, Finish::kRare ? 1 : kMostRows>(tile, i * kLanes, row, last);
      }
    }
  }

 private:
  // Each row's taps in one piece.
  void gather_rows(const TiledBlob& blob, int64_t row, int64_t last, const uint8_t** to) const {
    const int64_t taps = blob.taps, depth = blob.depth, bytes = gathered_bytes(blob);
    const uint8_t* const* from = run_.rows + row * taps;
    auto* x = reinterpret_cast<uint8_t*>(run_.scratch);
    for (; row < last; ++row, x += bytes) {
      *to++ = x;
      uint8_t* at = x;
      for (int64_t tap = 0; tap < taps; ++tap, at += depth) {
        const uint8_t* pixels = *from++;
        int64_t d = 0;
        do Vectors::store(at + d, Vectors::load(pixels + d));
        while ((d += Vectors::kBytes) < depth);
      }
    }
  }
};

void run_stepped(const std::byte* packed, const GemmRun& run) {
  with_finish(*reinterpret_cast<const TiledBlob*>(packed), SteppedRunner{packed, run});
}

const char* refuse(const GemmProblem&) { return ""; }
size_t packed_bytes(const GemmProblem& problem) { return stepped_packed_bytes(kLanes, problem); }
void pack(const GemmProblem& problem, std::byte* to) { stepped_pack(kLanes, problem, to); }
size_t scratch_bytes(const std::byte* packed) {
  const auto& blob = *reinterpret_cast<const TiledBlob*>(packed);
  return blob.taps == 1 ? 0 : static_cast<size_t>(cached_rows(blob) * gathered_bytes(blob));
}

}  // namespace
}  // namespace halftone::kernels
