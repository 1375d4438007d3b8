#include "halftone/kernels/gemm/gemm_tiled_blob.h"

#include <algorithm>
#include <cstring>

#include "halftone/kernels/gemm/gemm_columns.h"
#include "halftone/kernels/requantizer.h"

namespace halftone::kernels {
namespace {

const TiledBlob& open(const std::byte* packed) { return *reinterpret_cast<const TiledBlob*>(packed); }

}  // namespace

TiledBlob tiled_blob(int lanes, const GemmProblem& problem) {
  TiledBlob blob = {};
  blob.columns = problem.columns;
  blob.taps = problem.taps;
  blob.depth = problem.depth;
  blob.lanes = lanes;
  blob.tiles = (problem.columns + lanes - 1) / lanes;
  blob.mode = problem.mode;
  blob.result = problem.result;
  blob.zero_point = problem.zero_point;
  blob.low = problem.low;
  blob.high = problem.high;
  blob.fit = true;
  const bool dyadic = problem.mode == RequantizeMode::Dyadic && problem.result != GemmResult::Real;
  const int64_t row_bytes = int64_t{lanes} * 4;
  blob.terms = problem.column_terms != nullptr ? row_bytes : 0;
  blob.requantizer = row_bytes + blob.terms;
  blob.constant_bytes = blob.requantizer + (dyadic ? kDyadicRequantizerRows : kFloatRequantizerRows) * row_bytes;
  return blob;
}

bool pack_tile_constants(const TiledBlob& blob, const GemmProblem& problem, int64_t tile, const uint32_t* folded,
                         std::byte* to) {
  bool fit = true;
  int32_t bias[kMaxLanes] = {}, terms[kMaxLanes] = {};
  float multipliers[kMaxLanes];
  std::fill_n(multipliers, kMaxLanes, 1.0F);
  const int64_t first = tile * blob.lanes;
  for (int64_t lane = 0; lane < blob.lanes && first + lane < blob.columns; ++lane) {
    const GemmColumn column = gemm_column(problem, first + lane);
    const auto base = static_cast<uint32_t>(column.bias);
    bias[lane] = static_cast<int32_t>(folded != nullptr ? base + folded[lane] : base);
    if (blob.terms != 0) terms[lane] = problem.column_terms[first + lane];
    multipliers[lane] = column.multiplier;
    fit &= column.steps_fit;
  }
  const auto row_bytes = static_cast<size_t>(blob.lanes) * 4;
  std::memcpy(to, bias, row_bytes);
  if (blob.terms != 0) std::memcpy(to + blob.terms, terms, row_bytes);
  pack_requantizer(blob.result == GemmResult::Real ? RequantizeMode::Float : blob.mode, multipliers, blob.lanes,
                   to + blob.requantizer);
  return fit;
}

int64_t tiled_column_blocks(const std::byte* packed) { return open(packed).tiles; }

int64_t tiled_first_column(const std::byte* packed, int64_t block) {
  return std::min(block * open(packed).lanes, open(packed).columns);
}

}  // namespace halftone::kernels
