// The vectorized kernels for any instruction-set level.
//
// Everything lies in an unnamed namespace, as in depthwise_lanes.h.
#pragma once

#include "halftone/kernels/depthwise/depthwise_columns.h"
#include "halftone/kernels/depthwise/depthwise_sliding.h"

namespace halftone::kernels {
namespace {

template <typename ForColumns, typename ForSliding>
DepthwisePassFunction* choose_pass(const DepthwiseBlob& blob, int64_t rows) {
  return blob.is_sliding != 0 ? choose_sliding_pass<ForSliding>(blob, rows)
                              : choose_column_pass<ForColumns>(blob, rows);
}

// Rows that a block goes through before the next block does: neighbouring rows share input, and blocks cache lines, so
// that what these rows read is to stay in the second-level cache.
inline int64_t rows_at_a_time(const DepthwiseBlob& blob, const DepthwiseRun& run) {
  constexpr int64_t kBytes = 128 * 1024;
  const int64_t rows = kBytes / (blob.stride_h * run.in_w * run.from_stride) / 2 * 2;
  return rows < 2 ? 2 : rows;
}

// Output rows [first, last), one block.
template <typename ForColumns, typename ForSliding>
void run_rows(const DepthwiseBlob& blob, const DepthwiseBlock& block, const DepthwiseRun& run, int64_t first,
              int64_t last) {
  const int64_t element = blob.is_real != 0 ? 4 : 1;
  for (int64_t row = first; row < last;) {
    const int64_t y = row % run.out_h;
    const int64_t rows = blob.rows == 2 && y + 1 < run.out_h && row + 1 < last ? 2 : 1;
    const uint8_t* image = run.from + row / run.out_h * run.in_h * run.in_w * run.from_stride;
    uint8_t* to = static_cast<uint8_t*>(run.to) + row * run.out_w * run.to_stride + block.output * element;
    choose_pass<ForColumns, ForSliding>(blob, rows)({blob, block, run, image, y, to});
    row += rows;
  }
}

// With these units for blocks of all widths up to that of `Widest`.
template <template <typename> typename ForColumns, template <typename> typename ForSliding, typename Widest>
HT_INLINE void run_depthwise(const std::byte* packed, const DepthwiseRun& run) {
  const auto& blob = *reinterpret_cast<const DepthwiseBlob*>(packed);
  const int64_t step = rows_at_a_time(blob, run);
  for (int64_t first = run.first_row; first < run.last_row; first += step) {
    const int64_t last = first + step < run.last_row ? first + step : run.last_row;
    for (int64_t b = run.first_block; b < run.last_block; ++b) {
      const DepthwiseBlock& block = blob.blocks()[b];
      const auto function = block.lanes == 16   ? run_rows<ForColumns<Lanes16>, ForSliding<Lanes16>>
                            : block.lanes == 32 ? run_rows<ForColumns<Lanes32>, ForSliding<Lanes32>>
                                                : run_rows<ForColumns<Widest>, ForSliding<Widest>>;
      function(blob, block, run, first, last);
    }
  }
}

}  // namespace
}  // namespace halftone::kernels
