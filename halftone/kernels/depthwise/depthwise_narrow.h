// 3x3 windows of stride 1 over few channels: vectors hold several neighbouring pixels. A pixel more to the right is
// just some bytes further on, so that columns are made for each output vector anew. Input rows are first copied to the
// stack, with their padding.
//
// Everything lies in an unnamed namespace, as in depthwise_lanes.h.
#pragma once

#include "halftone/kernels/depthwise/depthwise_filter.h"

namespace halftone::kernels {
namespace {

// Copies `count` pixels of `bytes` bytes.
HT_INLINE void copy_pixels(const uint8_t* from, int64_t from_step, uint8_t* to, int64_t to_step, int64_t count,
                           int64_t bytes) {
  if (from_step == bytes && to_step == bytes) {
    __builtin_memcpy(to, from, static_cast<size_t>(count * bytes));
    return;
  }
  for (int64_t i = 0; i < count; ++i, from += from_step, to += to_step) {
    for (int64_t k = 0; k < bytes; ++k) to[k] = from[k];
  }
}

// Input columns [x, x + count) of a row.
HT_INLINE void copy_row(const DepthwisePass& pass, const uint8_t* row, int64_t step, int64_t x, int64_t count,
                        uint8_t* to) {
  const int64_t channels = pass.block.count, width = pass.run.in_w;
  const int64_t before = x >= 0 ? 0 : -x < count ? -x : count;
  const int64_t inside = width - x > count ? count : width - x < before ? before : width - x;
  if (step == 0 || before > 0 || inside < count) {
    __builtin_memset(to, pass.blob.padding[0], static_cast<size_t>(count * channels));
  }
  if (step != 0 && inside > before) {
    copy_pixels(row + (x + before) * step, step, to + before * channels, channels, inside - before, channels);
  }
}

// One walk over `vectors` output vectors. Rows of input are `row_step` bytes apart; results of output row r lie at
// codes + (i * Rows + r) vectors.
template <typename Unit, template <typename> typename Steps, int Rows, int First>
HT_INLINE void walk_narrow(const DepthwisePass& pass, const uint8_t* input, int64_t row_step, int64_t vectors,
                           uint8_t* codes) {
  using Int = typename Unit::Int;
  const Filter3x3<Unit, Steps, First, 2, Rows, 2> filter(pass);
  const int64_t channels = pass.block.count;
  for (int64_t i = 0; i < vectors; ++i, input += Unit::kBytes, codes += Rows * Unit::kBytes) {
    Int sums[Rows][2];
    HT_UNROLL for (int j = 0; j < 3; ++j) {
      const uint8_t* at[Rows + 2];
      HT_UNROLL for (int r = 0; r < Rows + 2; ++r) at[r] = input + j * channels + r * row_step;
      Int column[2];
      interleave_rows<Unit, First>(at, column);
      HT_UNROLL for (int r = 0; r < Rows; ++r) filter.add(j, r, column, sums[r]);
    }
    HT_UNROLL for (int r = 0; r < Rows; ++r) {
      uint8_t* to = codes + r * Unit::kBytes;
      Unit::store(to, filter.finish(sums[r], to));
    }
  }
}

template <typename Unit, template <typename> typename Steps, int Rows>
void narrow_pass(const DepthwisePass& pass) {
  constexpr int64_t kStrip = 1024, kRowStep = kStrip + 128;  // bytes
  alignas(64) uint8_t input[(Rows + 2) * kRowStep], codes[kStrip * Rows];
  const DepthwiseRun& run = pass.run;
  const int64_t channels = pass.block.count, strip = kStrip / channels, pixels = Unit::kBytes / channels;
  const InputRows<Rows + 2> rows(pass, 0);
  for (int64_t x = 0; x < run.out_w; x += strip) {
    const int64_t count = run.out_w - x < strip ? run.out_w - x : strip;
    for (int r = 0; r < Rows + 2; ++r) {
      copy_row(pass, rows.row[r], rows.step[r], x - run.pad_left, count + 2, input + r * kRowStep);
    }
    const int64_t vectors = (count + pixels - 1) / pixels;
    walk_narrow<Unit, Steps, Rows, 0>(pass, input, kRowStep, vectors, codes);
    walk_narrow<Unit, Steps, Rows, 2>(pass, input, kRowStep, vectors, codes);
    for (int64_t i = 0; i < vectors; ++i) {
      const int64_t left = count - i * pixels < pixels ? count - i * pixels : pixels;
      for (int r = 0; r < Rows; ++r) {
        copy_pixels(codes + (i * Rows + r) * Unit::kBytes, channels,
                    pass.to + r * pass.to_row() + (x + i * pixels) * run.to_stride, run.to_stride, left, channels);
      }
    }
  }
}

template <typename Unit, template <typename> typename Steps>
DepthwisePassFunction* narrow_pass_to(int64_t rows) {
  return rows == 2 ? narrow_pass<Unit, Steps, 2> : narrow_pass<Unit, Steps, 1>;
}

template <typename Unit>
DepthwisePassFunction* choose_narrow_pass(const DepthwiseBlob& blob, int64_t rows) {
  return blob.is_dyadic != 0 ? narrow_pass_to<Unit, DyadicSteps>(rows) : narrow_pass_to<Unit, FloatSteps>(rows);
}

}  // namespace
}  // namespace halftone::kernels
