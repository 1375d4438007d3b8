// What lies in the blob of a Conv, besides the blobs of its products.
#pragma once

#include "halftone/kernels/conv/conv.h"

namespace halftone::kernels {

// Output columns for which a column of the kernel (with row taps: its whole width) lies within the image.
struct ConvSpan {
  int64_t first = 0, last = 0;
};

struct ConvHeader {
  ConvShape shape;
  // Shape of the product of one group.
  int64_t taps = 0, depth = 0;
  // A tap is a whole row of the kernel: pixels lie without gaps, so that the bytes of kernel_width pixels are one run.
  // For layers of few channels, whose pixels fill no step of four bytes each.
  bool row_taps = false;
  int32_t x_zero_point = 0;
  int64_t rows_per_call = 0;
  int64_t element_bytes = 1;  // of results
  // In bytes from the header: spans, one per column of the kernel or just one; a row of zero points; the products, one
  // per group.
  int64_t spans = 0, zeros = 0, products = 0, product_bytes = 0;
};

inline int64_t round_up(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }

// Bytes of scratch that a row of the kernel which crosses the image's left or right border is put together in.
inline int64_t border_bytes(const ConvHeader& header) {
  return header.row_taps ? round_up(header.depth, static_cast<int64_t>(kSlack)) : 0;
}

// Points `rows` at the operands of output pixels [first, last) of a group: [pixel][tap]. `header` stands in its blob;
// `borders` has border_bytes for each of the pointers.
void point_conv_rows(const ConvHeader& header, const uint8_t* src, int64_t group, int64_t first, int64_t last,
                     const uint8_t** rows, uint8_t* borders);

}  // namespace halftone::kernels
