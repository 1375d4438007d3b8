// 3x3 windows of stride 1 or 2 whose input rows are one column: columns are made as the window slides over them, stay
// in registers while pixels see them, and are forgotten. Where the register file can't hold all four vectors of a
// column with what they need, a strip of pixels is walked twice, for two vectors at a time; the first walk leaves its
// codes as 16-bit numbers on the stack.
//
// Everything lies in an unnamed namespace, as in depthwise_lanes.h.
#pragma once

#include "halftone/kernels/depthwise/depthwise.h"
#include "halftone/kernels/depthwise/depthwise_filter.h"

namespace halftone::kernels {
namespace {

// Where a walk leaves its results: whole vectors, for pixel i of row r at to + i * pixel_step + r * row_step.
struct SlideTarget {
  uint8_t* to;
  int64_t pixel_step, row_step;
};

// One walk: output columns [x, x + count) of a pass. Where First is 2, it finds the results of the walk before in
// `halves`, and may replace them by its own.
template <typename Unit, template <typename> typename Steps, int Stride, int Rows, int First, int Vectors>
HT_INLINE void slide(const DepthwisePass& pass, const InputRows<Rows + 2>& rows, int64_t x, int64_t count,
                     const uint8_t* halves, SlideTarget target) {
  using Int = typename Unit::Int;
  const Filter3x3<Unit, Steps, First, Vectors, Rows, Stride == 1 ? 2 : 1> filter(pass);
  const Int padding = Unit::uniform(pass.blob.padding[0]);
  const auto width = static_cast<uint64_t>(pass.run.in_w);
  int64_t next = x * Stride - pass.run.pad_left;
  const uint8_t* at[Rows + 2];
  HT_UNROLL for (int r = 0; r < Rows + 2; ++r) at[r] = rows.row[r] + next * rows.step[r];
  const auto read = [&](Int(&column)[Vectors]) HT_INLINE_LAMBDA {
    if (static_cast<uint64_t>(next) < width) {
      interleave_rows<Unit, First>(at, column);
    } else {
      HT_UNROLL for (int v = 0; v < Vectors; ++v) column[v] = padding;
    }
    ++next;
    HT_UNROLL for (int r = 0; r < Rows + 2; ++r) at[r] += rows.step[r];
  };

  Int a[Vectors], b[Vectors], c[Vectors], sums[Vectors];
  read(a);
  if constexpr (Stride == 1) read(b);
  for (int64_t i = 0; i < count; ++i) {
    if constexpr (Stride == 1) {
      read(c);
      HT_UNROLL for (int r = 0; r < Rows; ++r) {
        filter.add(0, r, a, sums);
        filter.add(1, r, b, sums);
        filter.add(2, r, c, sums);
        Unit::store(target.to + r * target.row_step, filter.finish(sums, halves + r * Unit::kBytes));
      }
      HT_UNROLL for (int v = 0; v < Vectors; ++v) {
        a[v] = b[v];
        b[v] = c[v];
      }
    } else {
      filter.add(0, 0, a, sums);
      read(b);
      filter.add(1, 0, b, sums);
      read(a);
      filter.add(2, 0, a, sums);
      Unit::store(target.to, filter.finish(sums, halves));
    }
    halves += Rows * Unit::kBytes;
    target.to += target.pixel_step;
  }
}

template <typename Unit, template <typename> typename Steps, int Stride, int Rows>
void sliding_pass(const DepthwisePass& pass) {
  // A strip's input and halves are to stay in the first-level cache for the second walk.
  constexpr int64_t kStrip = 64 / Stride;
  alignas(64) uint8_t halves[kStrip * Rows * Unit::kBytes];
  const SlideTarget kept = {halves, Rows * Unit::kBytes, Unit::kBytes};
  const bool all = stores_all<Unit>(pass.blob, pass.block);
  const InputRows<Rows + 2> rows(pass, 0);
  for (int64_t x = 0; x < pass.run.out_w; x += kStrip) {
    const int64_t count = pass.run.out_w - x < kStrip ? pass.run.out_w - x : kStrip;
    const SlideTarget to = {pass.to + x * pass.run.to_stride, pass.run.to_stride, pass.to_row()};
    if constexpr (Rows * Unit::kWeightVectors == 1 && kRegisters == 32) {
      slide<Unit, Steps, Stride, Rows, 0, 4>(pass, rows, x, count, nullptr, all ? to : kept);
    } else {
      slide<Unit, Steps, Stride, Rows, 0, 2>(pass, rows, x, count, nullptr, kept);
      slide<Unit, Steps, Stride, Rows, 2, 2>(pass, rows, x, count, halves, all ? to : kept);
    }
    for (int64_t i = 0; i < count * Rows && !all; ++i) {
      store_some<Unit>(pass.blob, pass.block, Unit::load(halves + i * Unit::kBytes),
                       to.to + i / Rows * to.pixel_step + i % Rows * to.row_step);
    }
  }
}

template <typename Unit, template <typename> typename Steps>
DepthwisePassFunction* sliding_pass_to(const DepthwiseBlob& blob, int64_t rows) {
  return blob.stride_h == 2 ? sliding_pass<Unit, Steps, 2, 1>
         : rows == 1        ? sliding_pass<Unit, Steps, 1, 1>
                            : sliding_pass<Unit, Steps, 1, 2>;
}

template <typename Unit>
DepthwisePassFunction* choose_sliding_pass(const DepthwiseBlob& blob, int64_t rows) {
  return blob.is_dyadic != 0 ? sliding_pass_to<Unit, DyadicSteps>(blob, rows)
                             : sliding_pass_to<Unit, FloatSteps>(blob, rows);
}

}  // namespace
}  // namespace halftone::kernels
