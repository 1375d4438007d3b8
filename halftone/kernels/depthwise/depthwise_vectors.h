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

// With these units for blocks of all widths up to that of `Widest`. A block goes through all rows before the next one
// does, as neighbouring rows share input.
template <template <typename> typename ForColumns, template <typename> typename ForSliding, typename Widest>
HT_INLINE void run_depthwise(const std::byte* packed, const DepthwiseRun& run) {
  const auto& blob = *reinterpret_cast<const DepthwiseBlob*>(packed);
  for (int64_t b = run.first_block; b < run.last_block; ++b) {
    const DepthwiseBlock& block = blob.blocks()[b];
    for (int64_t row = run.first_row; row < run.last_row;) {
      const int64_t y = row % run.out_h;
      const int64_t rows = blob.rows == 2 && y + 1 < run.out_h && row + 1 < run.last_row ? 2 : 1;
      const DepthwisePass pass = {
          blob,
          block,
          run,
          run.from + row / run.out_h * run.in_h * run.in_w * run.from_stride,
          y,
          static_cast<uint8_t*>(run.to) + row * run.out_w * run.to_stride + block.output * (blob.is_real != 0 ? 4 : 1)};
      DepthwisePassFunction* const function =
          block.lanes == 16   ? choose_pass<ForColumns<Lanes16>, ForSliding<Lanes16>>(blob, rows)
          : block.lanes == 32 ? choose_pass<ForColumns<Lanes32>, ForSliding<Lanes32>>(blob, rows)
                              : choose_pass<ForColumns<Widest>, ForSliding<Widest>>(blob, rows);
      function(pass);
      row += rows;
    }
  }
}

}  // namespace
}  // namespace halftone::kernels
