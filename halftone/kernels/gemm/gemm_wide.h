// Left operands of 16 bits: weights stay bytes in memory and are widened on the way into the registers, once for all
// rows of a block; products of two words are exact, and so is the sum of neighbours. For any width of vectors.
// Instruction-set files include words_X.h before it.
#pragma once

#include "halftone/kernels/gemm/gemm_kernels.h"
#include "halftone/kernels/gemm/gemm_pairs_blob.h"
#include "halftone/kernels/gemm/gemm_tiled.h"

namespace halftone::kernels {
namespace {

// Dot::dot(acc, words, weights) adds the products of both words of each 32-bit lane.
struct MaddAndAdd {
  static HT_INLINE Int dot(Int acc, Int words, Int weights) {
    return Vectors::add32(acc, Vectors::madd16(words, weights));
  }
};

template <typename Dot>
struct WideSums {
  template <int kRows>
  static HT_INLINE void sum(const Tile& tile, int64_t row, Int (&acc)[kRows]) {
    const int64_t taps = tile.blob.taps, pairs = pairs_layout(tile.blob).pairs;
    const uint8_t* const* rows = tile.rows + (row - tile.first_row) * taps;
    const std::byte* weights = tile.weights;
    HT_UNROLL for (int r = 0; r < kRows; ++r) acc[r] = Vectors::load(tile.constants);
    for (int64_t tap = 0; tap < taps; ++tap) {
      const uint8_t* x[kRows];
      HT_UNROLL for (int r = 0; r < kRows; ++r) x[r] = rows[r * taps + tap];
      for (int64_t at = 0; at < 4 * pairs; at += 4, weights += 2 * kLanes) {
        const Int w = Words::widen(weights);
        HT_UNROLL for (int r = 0; r < kRows; ++r) acc[r] = Dot::dot(acc[r], Vectors::all_words(x[r] + at), w);
      }
    }
  }
};

// Clamped before the zero point is added: steps may be as far from zero as int32 reaches.
template <typename Columns>
struct ToWideCodes {
  static constexpr bool kRare = false;

  template <int kRows>
  static HT_INLINE void finish(const Tile& tile, int64_t, const Int (&acc)[kRows], std::byte* to, int64_t stride) {
    const TiledBlob& blob = tile.blob;
    const Columns columns(tile.constants + blob.requantizer, blob.fit);
    const Int least = Vectors::all32(blob.low - blob.zero_point), most = Vectors::all32(blob.high - blob.zero_point);
    const Int zero_point = Vectors::all32(blob.zero_point);
    HT_UNROLL for (int r = 0; r < kRows; ++r) {
      const Int steps = Vectors::min32(Vectors::max32(columns.steps(acc[r]), least), most);
      Words::store(to + r * stride, Vectors::add32(steps, zero_point));
    }
  }
};

// kMost accumulators.
template <typename Dot, int kMost>
struct WideRunner {
  const std::byte* packed;
  const GemmRun& run_;

  template <typename Finish>
  void run() const {
    const auto& blob = *reinterpret_cast<const TiledBlob*>(packed);
    const PairsLayout layout = pairs_layout(blob);
    for (int64_t i = run_.first_block; i < run_.last_block; ++i) {
      const Tile tile = {blob,
                         run_,
                         packed + layout.constants + i * layout.tile_constants,
                         packed + layout.weights + i * layout.tile_weights,
                         run_.rows,
                         /*first_row=*/0};
      if (run_.row_count != 0) {
        run_tile<WideSums<Dot>, Finish, Finish::kRare ? 1 : kMost>(tile, i * kLanes, 0, run_.row_count);
      }
    }
  }
};

template <typename Dot, int kMost>
void run_wide(const std::byte* packed, const GemmRun& run) {
  const auto& blob = *reinterpret_cast<const TiledBlob*>(packed);
  const WideRunner<Dot, kMost> runner = {packed, run};
  if (blob.result != GemmResult::WideCodes) return with_finish(blob, runner);
  blob.mode == RequantizeMode::Float ? runner.template run<ToWideCodes<FloatColumns>>()
                                     : runner.template run<ToWideCodes<DyadicColumns>>();
}

const char* refuse(const GemmProblem&) { return ""; }
size_t packed_bytes(const GemmProblem& problem) { return pairs_packed_bytes(kLanes, problem); }
void pack(const GemmProblem& problem, std::byte* to) { pairs_pack(kLanes, problem, to); }
size_t scratch_bytes(const std::byte*) { return 0; }

template <typename Dot, int kMost>
constexpr GemmKernel wide_kernel(std::string_view name, Isa isa) {
  return {name,
          isa,
          refuse,
          packed_bytes,
          pack,
          tiled_column_blocks,
          tiled_first_column,
          scratch_bytes,
          kMost,
          run_wide<Dot, kMost>};
}

}  // namespace
}  // namespace halftone::kernels
