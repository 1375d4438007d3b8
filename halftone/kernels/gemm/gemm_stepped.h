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

template <bool kOneTap>
struct SteppedSums {
  template <int kRows>
  static HT_INLINE void sum(const Tile& tile, int64_t row, Int (&acc)[kRows]) {
    const int64_t taps = kOneTap ? 1 : tile.blob.taps;
    const uint8_t* const* rows = tile.run.rows + row * taps;
    Steps steps = {reinterpret_cast<const uint32_t*>(tile.constants + tile.blob.constant_bytes), tile.weights};
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
  }
};

struct SteppedRunner {
  const std::byte* packed;
  const GemmRun& run_;

  template <typename Finish>
  void run() const {
    const TiledBlob& blob = *reinterpret_cast<const TiledBlob*>(packed);
    if constexpr (Finish::kRare) {
      tiles<SteppedSums<false>, Finish, 1>(blob);
    } else {
      blob.taps == 1 ? tiles<SteppedSums<true>, Finish, kMostRows>(blob)
                     : tiles<SteppedSums<false>, Finish, kMostRows>(blob);
    }
  }

 private:
  template <typename Sums, typename Finish, int kMost>
  void tiles(const TiledBlob& blob) const {
    const auto* offsets = reinterpret_cast<const TileOffsets*>(packed + sizeof(SteppedBlob));
    // As many rows at a time as stay in the first level of cache while the tiles pass over them.
    constexpr int64_t kCachedBytes = 20 * 1024;
    const int64_t fit = kCachedBytes / (blob.taps * blob.depth) / kMostRows * kMostRows;
    const int64_t chunk = fit < 2 * kMostRows ? 2 * kMostRows : fit > 8 * kMostRows ? 8 * kMostRows : fit;
    for (int64_t row = 0; row < run_.row_count; row += chunk) {
      const int64_t last = row + chunk < run_.row_count ? row + chunk : run_.row_count;
      for (int64_t i = run_.first_block; i < run_.last_block; ++i) {
        const Tile tile = {blob, run_, packed + offsets[i].tile, packed + offsets[i].weights};
        run_tile<Sums, Finish, kMost>(tile, i * kLanes, row, last);
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
size_t scratch_bytes(const std::byte*) { return 0; }

}  // namespace
}  // namespace halftone::kernels
