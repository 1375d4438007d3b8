// Windows of any size: input rows are interleaved into columns (depthwise_blob.h) once, on the stack, and neighbouring
// output pixels share them.
//
// Everything lies in an unnamed namespace, as in depthwise_lanes.h.
#pragma once

#include "halftone/kernels/depthwise/depthwise.h"
#include "halftone/kernels/depthwise/depthwise_pass.h"
#include "halftone/kernels/depthwise/depthwise_units.h"

namespace halftone::kernels {
namespace {

// Interleaves the columns of input columns [x, x + count) for group `group` of the input rows that output row y sees.
template <typename Unit>
HT_INLINE void fill_columns(const DepthwisePass& pass, int64_t group, int64_t x, int64_t count, uint8_t* panel) {
  using Int = typename Unit::Int;
  const DepthwiseBlob& blob = pass.blob;
  const DepthwiseRun& run = pass.run;
  const int64_t step = blob.groups * kDepthwiseVectors * Unit::kBytes;
  const int64_t before = x >= 0 ? 0 : -x < count ? -x : count;
  const int64_t inside = run.in_w - x > count ? count : run.in_w - x < before ? before : run.in_w - x;
  InputRows<Unit::kRows> rows(pass, group * Unit::kRows);
  rows.move(x + before);
  const Int uniform = Unit::uniform(blob.padding[0]);
  for (int64_t c = 0; c < before; ++c, panel += step) {
    HT_UNROLL for (int v = 0; v < kDepthwiseVectors; ++v) Unit::store(panel + v * Unit::kBytes, uniform);
  }
  for (int64_t c = before; c < inside; ++c, panel += step) {
    Int vectors[kDepthwiseVectors];
    Unit::interleave(rows.row, vectors);
    HT_UNROLL for (int v = 0; v < kDepthwiseVectors; ++v) Unit::store(panel + v * Unit::kBytes, vectors[v]);
    rows.move(1);
  }
  for (int64_t c = inside; c < count; ++c, panel += step) {
    HT_UNROLL for (int v = 0; v < kDepthwiseVectors; ++v) Unit::store(panel + v * Unit::kBytes, uniform);
  }
}

// Rows x Columns neighbouring output pixels.
template <typename Unit, int Rows>
struct Tile {
  using Int = typename Unit::Int;
  static constexpr int64_t kBytes = Unit::kBytes;
  static constexpr int kPixels = kRegisters / 4, kColumns = kPixels / Rows;

  const DepthwisePass& pass;
  const uint8_t* panel;  // column of the first pixel's first tap
  uint8_t* to;           // block's first output of the first pixel
  int64_t columns;       // pixels that exist, at most kColumns

  const uint8_t* constants(int kind, int v) const { return pass.constants() + (kind * kDepthwiseVectors + v) * kBytes; }
  uint8_t* pixel(int p) const { return to + p / kColumns * pass.to_row() + p % kColumns * pass.run.to_stride; }

  // Vector v of all sums; pixels row by row.
  HT_INLINE void sum(int v, Int (&sums)[kPixels]) const {
    const DepthwiseBlob& blob = pass.blob;
    constexpr int64_t kWeights = Unit::kWeightVectors * kBytes, kGroup = kDepthwiseVectors * kBytes;
    const int64_t column = blob.groups * kGroup, next_pixel = blob.stride_w * column, rows = blob.rows;
    const uint8_t* weights = constants(4, 0) + v * blob.kernel_w * blob.groups * rows * kWeights;
    const uint8_t* codes = panel + v * kBytes;
    const Int bias = Unit::load(constants(0, v));
    HT_UNROLL for (int p = 0; p < kPixels; ++p) sums[p] = bias;
    // Without dilation all groups of all columns follow one another.
    const bool dense = blob.dilation_w == 1;
    const int64_t runs = dense ? 1 : blob.kernel_w, run_groups = dense ? blob.kernel_w * blob.groups : blob.groups;
    for (int64_t run = 0; run < runs; ++run, codes += blob.dilation_w * column) {
      for (const uint8_t *group = codes, *end = codes + run_groups * kGroup; group != end; group += kGroup) {
        typename Unit::Weights w[Rows];
        HT_UNROLL for (int r = 0; r < Rows; ++r) w[r] = Unit::load_weights(weights + r * kWeights);
        weights += rows * kWeights;
        HT_UNROLL for (int c = 0; c < kColumns; ++c) {
          const Int x = Unit::load(group + c * next_pixel);
          HT_UNROLL for (int r = 0; r < Rows; ++r) {
            sums[r * kColumns + c] = Unit::dot(sums[r * kColumns + c], x, w[r]);
          }
        }
      }
    }
  }

  template <typename Steps>
  HT_INLINE void steps(int v, Int (&results)[kPixels]) const {
    sum(v, results);
    const Steps to_steps(constants(1, v), constants(2, v), pass.blob.limited != 0);
    if (pass.blob.limited == 0) {
      HT_UNROLL for (int p = 0; p < kPixels; ++p) results[p] = to_steps(results[p]);
    } else {
      const Int limit = Unit::load(constants(3, v)), least = Unit::sub32(Unit::zero(), limit);
      HT_UNROLL for (int p = 0; p < kPixels; ++p) {
        results[p] = to_steps.of_limited(Unit::min32(Unit::max32(results[p], least), limit));
      }
    }
  }

  template <typename Steps>
  HT_INLINE void codes() const {
    const Int summand = Steps::summand(pass.blob.zero_point);
    Int halves[2][kPixels];
    HT_UNROLL for (int half = 0; half < 2; ++half) {
      Int low[kPixels], high[kPixels];
      steps<Steps>(2 * half, low);
      steps<Steps>(2 * half + 1, high);
      HT_UNROLL for (int p = 0; p < kPixels; ++p) {
        halves[half][p] = Steps::codes16(Unit::pack32(low[p], high[p]), summand);
      }
    }
    const CodeClamp<Unit> clamp(pass.blob);
    const bool all = stores_all<Unit>(pass.blob, pass.block);
    HT_UNROLL for (int p = 0; p < kPixels; ++p) {
      if (p % kColumns >= columns) continue;
      const Int code = clamp(halves[0][p], halves[1][p]);
      all ? Unit::store(pixel(p), code) : store_some<Unit>(pass.blob, pass.block, code, pixel(p));
    }
  }

  HT_INLINE void reals() const {
    for (int v = 0; v < kDepthwiseVectors; ++v) {
      Int sums[kPixels];
      sum(v, sums);
      const auto factor = Unit::as_float(Unit::load(constants(1, v)));
      HT_UNROLL for (int p = 0; p < kPixels; ++p) {
        if (p % kColumns < columns) store_reals(v, Unit::mul(Unit::to_float(sums[p]), factor), pixel(p));
      }
    }
  }
  void store_reals(int v, typename Unit::Float reals, uint8_t* first) const {
    float numbers[kBytes / 4];
    Unit::store(numbers, Unit::as_int(reals));
    for (int64_t i = 0; i < kBytes / 4; ++i) {
      const int64_t k = i / 4 * 16 + v * 4 + i % 4;
      if (k < pass.block.count) reinterpret_cast<float*>(first)[k * pass.blob.multiplier] = numbers[i];
    }
  }
};

// Output columns for which `bytes` of columns suffice, in whole tiles.
inline int64_t tile_columns(const DepthwiseBlob& blob, int64_t column, int64_t bytes, int64_t tile) {
  const int64_t reach = (blob.kernel_w - 1) * blob.dilation_w + 1;
  return bytes / column < reach ? 0 : ((bytes / column - reach) / blob.stride_w + 1) / tile * tile;
}

enum class Result { Float, Dyadic, Real };

// A pass over one or two output rows, one block.
template <typename Unit, int Rows, Result kResult>
void column_pass(const DepthwisePass& pass) {
  using TileOf = Tile<Unit, Rows>;
  const DepthwiseBlob& blob = pass.blob;
  const DepthwiseRun& run = pass.run;
  alignas(64) uint8_t panel[kDepthwisePanel];
  const int64_t column = blob.groups * kDepthwiseVectors * Unit::kBytes;
  // Best in half of the first-level cache.
  const int64_t wanted = tile_columns(blob, column, kDepthwisePanel / 4, TileOf::kColumns);
  const int64_t strip = wanted > 0 ? wanted : tile_columns(blob, column, kDepthwisePanel, TileOf::kColumns);
  for (int64_t x = 0; x < run.out_w; x += strip) {
    const int64_t pixels = run.out_w - x < strip ? run.out_w - x : strip;
    const int64_t count = (pixels - 1) * blob.stride_w + (blob.kernel_w - 1) * blob.dilation_w + 1;
    for (int64_t g = 0; g < blob.groups; ++g) {
      fill_columns<Unit>(pass, g, x * blob.stride_w - run.pad_left, count,
                         panel + g * kDepthwiseVectors * Unit::kBytes);
    }
    for (int64_t i = 0; i < pixels; i += TileOf::kColumns) {
      const TileOf tile = {pass, panel + i * blob.stride_w * column, pass.to + (x + i) * run.to_stride, pixels - i};
      if constexpr (kResult == Result::Float) tile.template codes<FloatSteps<Unit>>();
      if constexpr (kResult == Result::Dyadic) tile.template codes<DyadicSteps<Unit>>();
      if constexpr (kResult == Result::Real) tile.reals();
    }
  }
}

template <typename Unit, int Rows>
DepthwisePassFunction* column_pass_to(const DepthwiseBlob& blob) {
  return blob.is_real != 0     ? column_pass<Unit, Rows, Result::Real>
         : blob.is_dyadic != 0 ? column_pass<Unit, Rows, Result::Dyadic>
                               : column_pass<Unit, Rows, Result::Float>;
}

template <typename Unit>
DepthwisePassFunction* choose_column_pass(const DepthwiseBlob& blob, int64_t rows) {
  return rows == 2 ? column_pass_to<Unit, 2>(blob) : column_pass_to<Unit, 1>(blob);
}

}  // namespace
}  // namespace halftone::kernels
