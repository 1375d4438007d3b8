// What lies in the blob of a Conv, besides the blobs of its products.
#pragma once

#include <algorithm>

#include "halftone/kernels/conv/conv.h"

namespace halftone::kernels {

struct ConvHeader {
  ConvShape shape;
  // Shape of the product of one group.
  int64_t taps = 0, depth = 0;
  // A tap is a whole row of the kernel: pixels lie without gaps, so that the bytes of kernel_width pixels are one run.
  // For layers of few channels, whose pixels fill no step of four bytes each.
  bool row_taps = false;
  int32_t x_zero_point = 0;
  int64_t rows_per_call = 0;
  int64_t code_bytes = 1;     // of the input
  int64_t element_bytes = 1;  // of results
  // Output columns for which the whole width of the kernel lies within the image.
  int64_t inner_first = 0, inner_last = 0;
  // In bytes from the header: a row of zero points; the products, one per group.
  int64_t zeros = 0, products = 0, product_bytes = 0;
};

inline int64_t round_up(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }

// Bytes of scratch that a row of the kernel which crosses the image's left or right border is put together in.
inline int64_t border_bytes(const ConvHeader& header) {
  return header.row_taps ? round_up(header.depth * header.code_bytes, static_cast<int64_t>(kSlack)) : 0;
}

// `count` zero points of the input.
inline void fill_zero_points(const ConvHeader& header, int64_t count, void* to) {
  if (header.code_bytes == 2) {
    std::fill_n(static_cast<int16_t*>(to), count, static_cast<int16_t>(header.x_zero_point));
  } else {
    std::fill_n(static_cast<uint8_t*>(to), count, static_cast<uint8_t>(header.x_zero_point));
  }
}

// Points `rows` at the operands of output pixels [first, last) of a group: [pixel][tap]. `header` stands in its blob;
// `borders` has border_bytes for each of the pointers.
void point_conv_rows(const ConvHeader& header, const uint8_t* src, int64_t group, int64_t first, int64_t last,
                     const uint8_t** rows, uint8_t* borders);

}  // namespace halftone::kernels
