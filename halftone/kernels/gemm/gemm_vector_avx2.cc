// One or two rows: every weight is read once and used at once, so what counts is how many bytes it takes. Weights stay
// bytes in memory (no masks) and are widened on the way into the registers; products of 16 bits are always exact.
#include "halftone/kernels/words_avx2.h"

#include "halftone/kernels/gemm/gemm_kernels.h"
#include "halftone/kernels/gemm/gemm_pairs_blob.h"
#include "halftone/kernels/gemm/gemm_tiled.h"

namespace halftone::kernels {
namespace {

constexpr int kMostRows = 2;

const char* refuse(const GemmProblem& problem) {
  return problem.rows >= 1 && problem.rows <= kMostRows ? "" : "it is made for one or two rows";
}

size_t packed_bytes(const GemmProblem& problem) { return pairs_packed_bytes(kLanes, problem); }
void pack(const GemmProblem& problem, std::byte* to) { pairs_pack(kLanes, problem, to); }

// A row as uint16, tap after tap, of an even number each; the last 16 may be written beyond the end.
HT_INLINE int64_t widened_words(const TiledBlob& blob) { return blob.taps * pairs_layout(blob).pairs * 2 + 32; }

size_t scratch_bytes(const std::byte* packed) {
  const auto& blob = *reinterpret_cast<const TiledBlob*>(packed);
  return static_cast<size_t>(tile_aligned(kMostRows * widened_words(blob) * 2));
}

void widen(const TiledBlob& blob, const uint8_t* const* taps, std::byte* to) {
  const int64_t words = pairs_layout(blob).pairs * 2;
  for (int64_t tap = 0; tap < blob.taps; ++tap, to += words * 2) {
    for (int64_t d = 0; d < words; d += 16) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(taps[tap] + d));
      Vectors::store(to + d * 2, _mm256_cvtepu8_epi16(bytes));
    }
  }
}

struct WidenedSums {
  template <int kRows>
  static HT_INLINE void sum(const Tile& tile, int64_t row, Int (&acc)[kRows]) {
    const uint8_t* x[kRows];
    HT_UNROLL for (int r = 0; r < kRows; ++r) x[r] = tile.rows[row - tile.first_row + r];
    const std::byte* weights = tile.weights;
    HT_UNROLL for (int r = 0; r < kRows; ++r) acc[r] = Vectors::load(tile.constants);
    for (int64_t pairs = tile.blob.taps * pairs_layout(tile.blob).pairs; pairs != 0; --pairs) {
      const Int w = Words::widen(weights);
      HT_UNROLL for (int r = 0; r < kRows; ++r) {
        acc[r] = Vectors::add32(acc[r], Vectors::madd16(Vectors::all_words(x[r]), w));
        x[r] += 4;
      }
      weights += kLanes * 2;
    }
  }
};

struct VectorRunner {
  const std::byte* packed;
  const GemmRun& run_;

  template <typename Finish>
  void run() const {
    const auto& blob = *reinterpret_cast<const TiledBlob*>(packed);
    const PairsLayout layout = pairs_layout(blob);
    for (int64_t row = 0; row < run_.row_count; row += kMostRows) {
      const int64_t last = row + kMostRows < run_.row_count ? row + kMostRows : run_.row_count;
      const uint8_t* widened[kMostRows];
      for (int64_t r = row; r < last; ++r) {
        std::byte* to = run_.scratch + (r - row) * widened_words(blob) * 2;
        widen(blob, run_.rows + r * blob.taps, to);
        widened[r - row] = reinterpret_cast<const uint8_t*>(to);
      }
      for (int64_t i = run_.first_block; i < run_.last_block; ++i) {
        const Tile tile = {blob,
                           run_,
                           packed + layout.constants + i * layout.tile_constants,
                           packed + layout.weights + i * layout.tile_weights,
                           widened,
                           row};
        run_tile<WidenedSums, Finish, kMostRows>(tile, i * kLanes, row, last);
      }
    }
  }
};

void run_vector(const std::byte* packed, const GemmRun& run) {
  with_finish(*reinterpret_cast<const TiledBlob*>(packed), VectorRunner{packed, run});
}

}  // namespace

const GemmKernel gemm_vector_avx2 = {"avx2_vector",       Isa::Avx2,          refuse,        packed_bytes, pack,
                                     tiled_column_blocks, tiled_first_column, scratch_bytes, kMostRows,    run_vector};

}  // namespace halftone::kernels
