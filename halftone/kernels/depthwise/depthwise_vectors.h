// The vectorized kernels for any instruction-set level.
//
// Everything lies in an unnamed namespace, as in depthwise_lanes.h.
#pragma once

#include "halftone/kernels/depthwise/depthwise_columns.h"
#include "halftone/kernels/depthwise/depthwise_narrow.h"
#include "halftone/kernels/depthwise/depthwise_sliding.h"

namespace halftone::kernels {
namespace {

template <typename Any, typename For3x3>
DepthwisePassFunction* choose_pass(const DepthwiseBlob& blob, int64_t rows) {
  switch (blob.way) {
    case DepthwiseWay::Sliding:
      return choose_sliding_pass<For3x3>(blob, rows);
    case DepthwiseWay::Narrow:
      return choose_narrow_pass<For3x3>(blob, rows);
    case DepthwiseWay::Columns:
      break;
  }
  return choose_column_pass<Any>(blob, rows);
}

// Rows that a block goes through before the next block does: neighbouring rows share input, and blocks cache lines, so
// that what these rows read is to stay in the second-level cache.
inline int64_t rows_at_a_time(const DepthwiseBlob& blob, const DepthwiseRun& run) {
  constexpr int64_t kBytes = 128 * 1024;
  const int64_t rows = kBytes / (blob.stride_h * run.in_w * run.from_stride) / 2 * 2;
  return rows < 2 ? 2 : rows;
}

// Output rows [first, last), one block.
template <typename Any, typename For3x3>
void run_rows(const DepthwiseBlob& blob, const DepthwiseBlock& block, const DepthwiseRun& run, int64_t first,
              int64_t last) {
  const int64_t element = blob.is_real != 0 ? 4 : 1;
  for (int64_t row = first; row < last;) {
    const int64_t y = row % run.out_h;
    const int64_t rows = blob.rows == 2 && y + 1 < run.out_h && row + 1 < last ? 2 : 1;
    const uint8_t* image = run.from + row / run.out_h * run.in_h * run.in_w * run.from_stride;
    uint8_t* to = static_cast<uint8_t*>(run.to) + row * run.out_w * run.to_stride + block.output * element;
    choose_pass<Any, For3x3>(blob, rows)({blob, block, run, image, y, to});
    row += rows;
  }
}

// With units for any window and for the 3x3 ones that have a way of their own,
// for blocks of 32 channels and of the width of `Widest`.
template <template <typename> typename Any, template <typename> typename For3x3, typename Widest>
HT_INLINE void run_depthwise(const std::byte* packed, const DepthwiseRun& run) {
  const auto& blob = *reinterpret_cast<const DepthwiseBlob*>(packed);
  const int64_t step = rows_at_a_time(blob, run);
  for (int64_t first = run.first_row; first < run.last_row; first += step) {
    const int64_t last = first + step < run.last_row ? first + step : run.last_row;
    for (int64_t b = run.first_block; b < run.last_block; ++b) {
      const DepthwiseBlock& block = blob.blocks()[b];
      const auto function =
          block.lanes == 32 ? run_rows<Any<Lanes32>, For3x3<Lanes32>> : run_rows<Any<Widest>, For3x3<Widest>>;
      function(blob, block, run, first, last);
    }
  }
}

}  // namespace
}  // namespace halftone::kernels
