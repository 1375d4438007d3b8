// The computation of the vectorized kernels, for any instruction-set level: interleave the input rows that one or two
// output rows see into columns (depthwise_blob.h), once, on the stack; then let neighbouring output pixels share them.
//
// Everything lies in an unnamed namespace, as in depthwise_lanes.h.
#pragma once

#include "halftone/kernels/depthwise/depthwise.h"
#include "halftone/kernels/depthwise/depthwise_blob.h"
#include "halftone/kernels/depthwise/depthwise_lanes.h"

namespace halftone::kernels {
namespace {

// Units: how rows are interleaved and products summed up.

// Pairs of rows as 16-bit numbers. Exact for any bytes, other than pmaddubsw.
template <typename L>
struct Pairs : L {
  using Int = typename L::Int;
  static constexpr int kRows = 2;
  static HT_INLINE Int uniform(uint8_t code) { return L::all16(code); }
  static HT_INLINE void interleave(const uint8_t* const (&rows)[kRows], Int (&to)[kDepthwiseVectors]) {
    const Int a = L::load(rows[0]), b = L::load(rows[1]);
    const Int low = L::low8(a, b), high = L::high8(a, b);
    to[0] = L::low8(low, L::zero());
    to[1] = L::high8(low, L::zero());
    to[2] = L::low8(high, L::zero());
    to[3] = L::high8(high, L::zero());
  }
  static HT_INLINE Int dot(Int sum, Int codes, Int weights) { return L::add32(sum, L::madd16(codes, weights)); }
};

// Four rows of bytes.
template <typename L>
struct Quads : L {
  using Int = typename L::Int;
  static constexpr int kRows = 4;
  static HT_INLINE Int uniform(uint8_t code) { return L::all8(code); }
  static HT_INLINE void interleave(const uint8_t* const (&rows)[kRows], Int (&to)[kDepthwiseVectors]) {
    const Int a = L::load(rows[0]), b = L::load(rows[1]), c = L::load(rows[2]), d = L::load(rows[3]);
    const Int low = L::low8(a, b), high = L::high8(a, b), low2 = L::low8(c, d), high2 = L::high8(c, d);
    to[0] = L::low16(low, low2);
    to[1] = L::high16(low, low2);
    to[2] = L::low16(high, high2);
    to[3] = L::high16(high, high2);
  }
  static HT_INLINE Int dot(Int sum, Int codes, Int weights) { return L::dot(sum, codes, weights); }
};

// Results: from the sums of a vector to steps.

template <typename L>
struct FloatSteps {
  typename L::Float factor;
  HT_INLINE FloatSteps(const uint8_t* factors, const uint8_t*) : factor(L::load_float(factors)) {}
  HT_INLINE typename L::Int operator()(typename L::Int sum) const { return L::round(L::mul(L::to_float(sum), factor)); }
};

// The product of a sum and a factor is less than 2^62, in absolute value: with 2^62 added it is positive, and a logical
// shift is as good as the arithmetic one that AVX2 lacks. The low half of the shifted number less 2^62 >> shift is the
// result, as that fits int32.
template <typename L>
struct DyadicSteps {
  using Int = typename L::Int;
  Int factor, factor_odd, shift_even, shift_odd, round_even, round_odd, less;
  HT_INLINE DyadicSteps(const uint8_t* factors, const uint8_t* shifts) : factor(L::load(factors)) {
    const Int shift = L::load(shifts), one = L::all64(1), half = L::all64(-1), top = L::all64(int64_t{1} << 62);
    factor_odd = L::odd32(factor);
    shift_even = L::even32(shift);
    shift_odd = L::odd32(shift);
    round_even = L::add64(L::shift_left64(one, L::add64(shift_even, half)), top);
    round_odd = L::add64(L::shift_left64(one, L::add64(shift_odd, half)), top);
    less = L::join32(L::shift_right64(top, shift_even), L::shift_right64(top, shift_odd));
  }
  HT_INLINE Int operator()(Int sum) const {
    const Int even = L::add64(L::mul_even32(sum, factor), round_even);
    const Int odd = L::add64(L::mul_even32(L::odd32(sum), factor_odd), round_odd);
    return L::sub32(L::join32(L::shift_right64(even, shift_even), L::shift_right64(odd, shift_odd)), less);
  }
};

// The shape of a window as tiles see it: of any size, or known when the kernel is compiled.
struct AnyWindow {
  int64_t kernel_w, groups, weight_rows, stride_w, dilation_w;
  explicit AnyWindow(const DepthwiseBlob& blob)
      : kernel_w(blob.kernel_w),
        groups(blob.groups),
        weight_rows(blob.rows),
        stride_w(blob.stride_w),
        dilation_w(blob.dilation_w) {}
};
// 3x3 with equal strides.
template <typename Unit, int Stride>
struct Window3x3 {
  static constexpr int64_t kernel_w = 3, groups = (3 + Unit::kRows - 1) / Unit::kRows, weight_rows = 3 - Stride,
                           stride_w = Stride, dilation_w = 1;
  explicit Window3x3(const DepthwiseBlob&) {}
};

// What is the same for all tiles of a pass over a block.
template <typename Window>
struct Pass {
  const DepthwiseBlob& blob;
  const DepthwiseBlock& block;
  const uint8_t* constants;
  const Window window;
  int64_t to_stride;
};

// Codes of a pixel, the block's first one at `to`.
template <typename L>
HT_INLINE void store_codes(const DepthwiseBlob& blob, const DepthwiseBlock& block, typename L::Int codes, uint8_t* to) {
  if (block.count == L::kBytes && blob.multiplier == 1) {
    L::store(to, codes);
  } else if (blob.multiplier == 1) {
    L::store_first(to, codes, block.count);
  } else {
    uint8_t bytes[L::kBytes];
    L::store(bytes, codes);
    for (int64_t i = 0; i < block.count; ++i) to[i * blob.multiplier] = bytes[i];
  }
}

// Vector `v` of a pixel's results as real numbers.
template <typename L>
HT_INLINE void store_reals(const DepthwiseBlob& blob, const DepthwiseBlock& block, int v, typename L::Float reals,
                           float* to) {
  float numbers[L::kBytes / 4];
  L::store_floats(numbers, reals);
  for (int i = 0; i < L::kBytes / 4; ++i) {
    const int64_t k = i / 4 * 16 + v * 4 + i % 4;
    if (k < block.count) to[k * blob.multiplier] = numbers[i];
  }
}

// Rows x Columns neighbouring output pixels.
template <typename Unit, typename Window, int Rows>
struct Tile {
  using Int = typename Unit::Int;
  static constexpr int64_t kBytes = Unit::kBytes;
  static constexpr int kColumns = kDepthwiseTile / Rows, kPixels = kDepthwiseTile;

  const Pass<Window>& pass;
  const uint8_t* panel;  // column of the first pixel's first tap
  uint8_t* to[Rows];     // block's first output of the first pixel in each row
  int64_t columns;       // pixels that exist, at most kColumns

  // Vector v of all sums; pixels row by row.
  HT_INLINE void sum(int v, Int (&sums)[kPixels]) const {
    const Window& window = pass.window;
    const int64_t taps = window.kernel_w * window.groups * window.weight_rows;
    const int64_t column_bytes = window.groups * kDepthwiseVectors * kBytes;
    const uint8_t* weights = pass.constants + kBytes * (4 * kDepthwiseVectors + v * taps);
    const uint8_t* codes = panel + v * kBytes;
    const Int bias = Unit::load(pass.constants + v * kBytes);
#pragma GCC unroll 4
    for (int p = 0; p < kPixels; ++p) sums[p] = bias;
#pragma GCC unroll 3
    for (int64_t j = 0; j < window.kernel_w; ++j) {
#pragma GCC unroll 2
      for (int64_t g = 0; g < window.groups; ++g) {
        Int w[Rows];
#pragma GCC unroll 2
        for (int r = 0; r < Rows; ++r) w[r] = Unit::load(weights + r * kBytes);
#pragma GCC unroll 4
        for (int c = 0; c < kColumns; ++c) {
          const Int x = Unit::load(codes + (j * window.dilation_w + c * window.stride_w) * column_bytes +
                                   g * kDepthwiseVectors * kBytes);
#pragma GCC unroll 2
          for (int r = 0; r < Rows; ++r) sums[r * kColumns + c] = Unit::dot(sums[r * kColumns + c], x, w[r]);
        }
        weights += window.weight_rows * kBytes;
      }
    }
  }

  template <typename Steps>
  HT_INLINE void steps(int v, Int (&results)[kPixels]) const {
    sum(v, results);
    const uint8_t* factors = pass.constants + (kDepthwiseVectors + v) * kBytes;
    if (pass.blob.limited != 0) {
      const Int limit = Unit::load(factors + 2 * kDepthwiseVectors * kBytes);
#pragma GCC unroll 4
      for (int p = 0; p < kPixels; ++p) {
        results[p] = Unit::min32(Unit::max32(results[p], Unit::sub32(Unit::zero(), limit)), limit);
      }
    }
    const Steps to_steps(factors, factors + kDepthwiseVectors * kBytes);
#pragma GCC unroll 4
    for (int p = 0; p < kPixels; ++p) results[p] = to_steps(results[p]);
  }

  template <typename Steps>
  HT_INLINE void codes() const {
    Int halves[2][kPixels];
    const Int zero_point = Unit::all16(pass.blob.zero_point);
#pragma GCC unroll 2
    for (int half = 0; half < 2; ++half) {
      Int low[kPixels], high[kPixels];
      steps<Steps>(2 * half, low);
      steps<Steps>(2 * half + 1, high);
#pragma GCC unroll 4
      for (int p = 0; p < kPixels; ++p) halves[half][p] = Unit::adds16(Unit::pack32(low[p], high[p]), zero_point);
    }
    const Int least = Unit::all8(pass.blob.low), most = Unit::all8(pass.blob.high);
#pragma GCC unroll 4
    for (int p = 0; p < kPixels; ++p) {
      if (p % kColumns >= columns) continue;
      const Int codes = Unit::min8(Unit::max8(Unit::pack16(halves[0][p], halves[1][p]), least), most);
      store_codes<Unit>(pass.blob, pass.block, codes, to[p / kColumns] + p % kColumns * pass.to_stride);
    }
  }

  HT_INLINE void reals() const {
    for (int v = 0; v < kDepthwiseVectors; ++v) {
      Int sums[kPixels];
      sum(v, sums);
      const auto factor = Unit::load_float(pass.constants + (kDepthwiseVectors + v) * kBytes);
      for (int p = 0; p < kPixels; ++p) {
        if (p % kColumns >= columns) continue;
        uint8_t* pixel = to[p / kColumns] + p % kColumns * pass.to_stride;
        store_reals<Unit>(pass.blob, pass.block, v, Unit::mul(Unit::to_float(sums[p]), factor),
                          reinterpret_cast<float*>(pixel));
      }
    }
  }
};

enum class Result { Float, Dyadic, Real };

// Interleaves the columns of input columns [x, x + count) for group `group` of the input rows that output row y sees.
template <typename Unit>
HT_INLINE void fill_columns(const DepthwiseBlob& blob, const DepthwiseBlock& block, const DepthwiseRun& run,
                            const uint8_t* image, int64_t y, int64_t group, int64_t x, int64_t count, uint8_t* panel) {
  using Int = typename Unit::Int;
  constexpr int64_t kBytes = Unit::kBytes;
  const int64_t column_bytes = blob.groups * kDepthwiseVectors * kBytes;
  const int64_t before = x >= 0 ? 0 : -x < count ? -x : count;
  const int64_t inside = run.in_w - x > count ? count : run.in_w - x < before ? before : run.in_w - x;
  const uint8_t* rows[Unit::kRows];
  int64_t steps[Unit::kRows];
  for (int r = 0; r < Unit::kRows; ++r) {
    const int64_t in_y = y * blob.stride_h + (group * Unit::kRows + r) * blob.dilation_h - run.pad_top;
    const bool there = in_y >= 0 && in_y < run.in_h;
    rows[r] = there ? image + (in_y * run.in_w + x + before) * run.from_stride + block.input : blob.padding;
    steps[r] = there ? run.from_stride : 0;
  }
  const Int uniform = Unit::uniform(blob.padding[0]);
  for (int64_t c = 0; c < before; ++c, panel += column_bytes) {
    for (int v = 0; v < kDepthwiseVectors; ++v) Unit::store(panel + v * kBytes, uniform);
  }
  for (int64_t c = before; c < inside; ++c, panel += column_bytes) {
    Int vectors[kDepthwiseVectors];
    Unit::interleave(rows, vectors);
    for (int v = 0; v < kDepthwiseVectors; ++v) Unit::store(panel + v * kBytes, vectors[v]);
    for (int r = 0; r < Unit::kRows; ++r) rows[r] += steps[r];
  }
  for (int64_t c = inside; c < count; ++c, panel += column_bytes) {
    for (int v = 0; v < kDepthwiseVectors; ++v) Unit::store(panel + v * kBytes, uniform);
  }
}

// Output rows [y, y + Rows) of an image, one block.
template <typename Unit, typename Window, int Rows, Result kResult>
void run_pass(const DepthwiseBlob& blob, const DepthwiseBlock& block, const DepthwiseRun& run, const uint8_t* image,
              int64_t y, uint8_t* to, uint8_t* panel) {
  constexpr int64_t kElement = kResult == Result::Real ? 4 : 1, kColumns = Tile<Unit, Window, Rows>::kColumns;
  const Pass<Window> pass = {blob, block, reinterpret_cast<const uint8_t*>(&blob) + block.offset, Window(blob),
                             run.to_stride};
  const Window& window = pass.window;
  const int64_t column_bytes = window.groups * kDepthwiseVectors * Unit::kBytes;
  const int64_t reach = (window.kernel_w - 1) * window.dilation_w + 1;
  // Output columns for which the panel has room, best in a quarter of the first-level cache.
  const auto fit = [&](int64_t bytes) {
    const int64_t pixels = (bytes / column_bytes - reach) / window.stride_w + 1;
    return bytes / column_bytes < reach ? 0 : pixels / kColumns * kColumns;
  };
  const int64_t wanted = fit(kDepthwisePanel / 4), strip = wanted > 0 ? wanted : fit(kDepthwisePanel);
  for (int64_t x = 0; x < run.out_w; x += strip) {
    const int64_t pixels = run.out_w - x < strip ? run.out_w - x : strip;
    const int64_t count = (pixels - 1) * window.stride_w + reach;
    for (int64_t g = 0; g < window.groups; ++g) {
      fill_columns<Unit>(blob, block, run, image, y, g, x * window.stride_w - run.pad_left, count,
                         panel + g * kDepthwiseVectors * Unit::kBytes);
    }
    for (int64_t i = 0; i < pixels; i += kColumns) {
      Tile<Unit, Window, Rows> tile = {pass, panel + i * window.stride_w * column_bytes, {}, pixels - i};
      for (int r = 0; r < Rows; ++r) {
        tile.to[r] = to + (r * run.out_w + x + i) * run.to_stride + block.output * kElement;
      }
      if constexpr (kResult == Result::Float) tile.template codes<FloatSteps<Unit>>();
      if constexpr (kResult == Result::Dyadic) tile.template codes<DyadicSteps<Unit>>();
      if constexpr (kResult == Result::Real) tile.reals();
    }
  }
}

using PassFunction = void(const DepthwiseBlob&, const DepthwiseBlock&, const DepthwiseRun&, const uint8_t*, int64_t,
                          uint8_t*, uint8_t*);

template <typename Unit, typename Window, int Rows>
PassFunction* pass_with(const DepthwiseBlob& blob) {
  return blob.is_dyadic != 0 ? run_pass<Unit, Window, Rows, Result::Dyadic>
                             : run_pass<Unit, Window, Rows, Result::Float>;
}

template <typename Unit>
PassFunction* choose_pass(const DepthwiseBlob& blob, int64_t rows) {
  if (blob.is_real != 0) {
    return rows == 2 ? run_pass<Unit, AnyWindow, 2, Result::Real> : run_pass<Unit, AnyWindow, 1, Result::Real>;
  }
  if (blob.kernel_h == 3 && blob.kernel_w == 3 && blob.dilation_w == 1) {
    if (rows == 2 && blob.stride_w == 1) return pass_with<Unit, Window3x3<Unit, 1>, 2>(blob);
    if (blob.rows == 1 && blob.stride_w == 2) return pass_with<Unit, Window3x3<Unit, 2>, 1>(blob);
  }
  return rows == 2 ? pass_with<Unit, AnyWindow, 2>(blob) : pass_with<Unit, AnyWindow, 1>(blob);
}

// `Units<L>` for blocks of all widths up to that of `Widest`.
template <template <typename> typename Unit, typename Widest>
HT_INLINE void run_columns(const std::byte* packed, const DepthwiseRun& run) {
  alignas(64) uint8_t panel[kDepthwisePanel];
  const auto& blob = *reinterpret_cast<const DepthwiseBlob*>(packed);
  for (int64_t row = run.first_row; row < run.last_row;) {
    const int64_t y = row % run.out_h;
    const uint8_t* image = run.from + row / run.out_h * run.in_h * run.in_w * run.from_stride;
    auto* to = static_cast<uint8_t*>(run.to) + row * run.out_w * run.to_stride;
    const int64_t rows = blob.rows == 2 && y + 1 < run.out_h && row + 1 < run.last_row ? 2 : 1;
    for (int64_t b = run.first_block; b < run.last_block; ++b) {
      const DepthwiseBlock& block = blob.blocks()[b];
      PassFunction* pass = block.lanes == 16   ? choose_pass<Unit<Lanes16>>(blob, rows)
                           : block.lanes == 32 ? choose_pass<Unit<Lanes32>>(blob, rows)
                                               : choose_pass<Unit<Widest>>(blob, rows);
      pass(blob, block, run, image, y, to, panel);
    }
    row += rows;
  }
}

}  // namespace
}  // namespace halftone::kernels
