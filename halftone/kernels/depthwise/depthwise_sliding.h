// 3x3 windows of stride 1 or 2 whose four input rows are one column: columns are made as the window slides over them,
// stay in registers while pixels see them, and are forgotten. All four vectors of a column with what they need would
// not fit the register file, so that each strip of pixels is walked twice, for two vectors at a time; the first walk
// leaves its codes as 16-bit numbers on the stack.
//
// Everything lies in an unnamed namespace, as in depthwise_lanes.h.
#pragma once

#include "halftone/kernels/depthwise/depthwise.h"
#include "halftone/kernels/depthwise/depthwise_pass.h"
#include "halftone/kernels/depthwise/depthwise_units.h"

namespace halftone::kernels {
namespace {

// Weights of vectors First and First + 1: kept in registers where there are enough of them, else read where they are
// used.
template <typename Unit, int Stride, int Rows, int First, bool kKept>
class SlidingWeights {
 public:
  HT_INLINE explicit SlidingWeights(const DepthwisePass& pass)
      : from_(pass.constants() + 4 * kDepthwiseVectors * Unit::kBytes) {
    if constexpr (kKept) {
      HT_UNROLL for (int v = 0; v < 2; ++v) {
        HT_UNROLL for (int j = 0; j < 3; ++j) {
          HT_UNROLL for (int r = 0; r < Rows; ++r) kept_[v][j][r] = load(v, j, r);
        }
      }
    }
  }
  HT_INLINE typename Unit::Weights operator()(int v, int j, int r) const {
    if constexpr (kKept) return kept_[v][j][r];
    return load(v, j, r);
  }

 private:
  HT_INLINE typename Unit::Weights load(int v, int j, int r) const {
    constexpr int kRows = Stride == 1 ? 2 : 1;  // in the blob
    return Unit::load_weights(from_ + (((First + v) * 3 + j) * kRows + r) * Unit::kWeightVectors * Unit::kBytes);
  }
  const uint8_t* from_;
  typename Unit::Weights kept_[kKept ? 2 : 1][3][Rows];
};

#ifdef __AVX512VL__
inline constexpr bool kManyRegisters = true;
#else
inline constexpr bool kManyRegisters = false;
#endif

// Where a walk leaves its results: whole vectors, for pixel i of row r at to + i * pixel_step + r * row_step.
struct SlideTarget {
  uint8_t* to;
  int64_t pixel_step, row_step;
};

// One walk: output columns [x, x + count) of a pass. The second one, where First is 2, finds the results of the first
// one in `halves`, and may replace them by its own.
template <typename Unit, template <typename> typename Steps, int Stride, int Rows, int First>
HT_INLINE void slide(const DepthwisePass& pass, const InputRows<4>& rows, int64_t x, int64_t count,
                     const uint8_t* halves, SlideTarget target) {
  using Int = typename Unit::Int;
  const SlidingWeights<Unit, Stride, Rows, First, kManyRegisters && Unit::kWeightVectors == 1> weights(pass);
  const uint8_t* constants = pass.constants() + First * Unit::kBytes;
  const auto steps_of = [&](int v) HT_INLINE_LAMBDA {
    return Steps<Unit>(constants + (kDepthwiseVectors + v) * Unit::kBytes,
                       constants + (2 * kDepthwiseVectors + v) * Unit::kBytes, false);
  };
  const Steps<Unit> steps[2] = {steps_of(0), steps_of(1)};
  const Int padding = Unit::uniform(pass.blob.padding[0]), summand = Steps<Unit>::summand(pass.blob.zero_point);
  const CodeClamp<Unit> clamp(pass.blob);
  const auto width = static_cast<uint64_t>(pass.run.in_w);
  int64_t next = x * Stride - pass.run.pad_left;
  const uint8_t* at[4] = {rows.row[0] + next * rows.step[0], rows.row[1] + next * rows.step[1],
                          rows.row[2] + next * rows.step[2], rows.row[3] + next * rows.step[3]};

  const auto column = [&](Int(&to)[2]) HT_INLINE_LAMBDA {
    if (static_cast<uint64_t>(next) < width) {
      interleave_rows<Unit, First, 2>(at, to);
    } else {
      to[0] = to[1] = padding;
    }
    ++next;
    HT_UNROLL for (int r = 0; r < 4; ++r) at[r] += rows.step[r];
  };
  // One output column, which sees input columns a, b, c.
  const auto step = [&](const Int(&a)[2], const Int(&b)[2], const Int(&c)[2]) HT_INLINE_LAMBDA {
    HT_UNROLL for (int r = 0; r < Rows; ++r) {
      Int results[2];
      HT_UNROLL for (int v = 0; v < 2; ++v) {
        Int sum = Unit::load(constants + v * Unit::kBytes);
        sum = Unit::dot(sum, a[v], weights(v, 0, r));
        sum = Unit::dot(sum, b[v], weights(v, 1, r));
        sum = Unit::dot(sum, c[v], weights(v, 2, r));
        results[v] = steps[v](sum);
      }
      const Int half = Steps<Unit>::codes16(Unit::pack32(results[0], results[1]), summand);
      Unit::store(target.to + r * target.row_step,
                  First == 0 ? half : clamp(Unit::load(halves + r * Unit::kBytes), half));
    }
    halves += Rows * Unit::kBytes;
    target.to += target.pixel_step;
  };

  Int a[2], b[2], c[2];
  column(a);
  if constexpr (Stride == 1) column(b);
  for (int64_t i = 0; i < count; ++i) {
    if constexpr (Stride == 2) column(b);
    column(c);
    step(a, b, c);
    HT_UNROLL for (int v = 0; v < 2; ++v) {
      a[v] = Stride == 1 ? b[v] : c[v];
      b[v] = c[v];
    }
  }
}

template <typename Unit, template <typename> typename Steps, int Stride, int Rows>
void sliding_pass(const DepthwisePass& pass) {
  // A strip's input and halves are to stay in the first-level cache for the second walk.
  constexpr int64_t kStrip = 64 / Stride;
  alignas(64) uint8_t halves[kStrip * Rows * Unit::kBytes];
  const SlideTarget kept = {halves, Rows * Unit::kBytes, Unit::kBytes};
  const bool all = stores_all<Unit>(pass.blob, pass.block);
  const InputRows<4> rows(pass, 0, Rows + 2);
  for (int64_t x = 0; x < pass.run.out_w; x += kStrip) {
    const int64_t count = pass.run.out_w - x < kStrip ? pass.run.out_w - x : kStrip;
    const SlideTarget to = {pass.to + x * pass.run.to_stride, pass.run.to_stride, pass.to_row()};
    slide<Unit, Steps, Stride, Rows, 0>(pass, rows, x, count, halves, kept);
    slide<Unit, Steps, Stride, Rows, 2>(pass, rows, x, count, halves, all ? to : kept);
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
