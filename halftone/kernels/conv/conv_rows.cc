#include <algorithm>
#include <cstring>

#include "halftone/kernels/conv/conv_blob.h"

namespace halftone::kernels {
namespace {

// Neighbouring pixels [first, last) of an output row.
struct Stretch {
  int64_t image, oy, first, last;
};

class RowPointer {
 public:
  RowPointer(const ConvHeader& header, const uint8_t* src, int64_t group, uint8_t* borders)
      : header_(header),
        shape_(header.shape),
        zeros_(reinterpret_cast<const uint8_t*>(&header) + header.zeros),
        src_(src + group * (header.shape.in_channels / header.shape.groups) * header.code_bytes),
        borders_(borders),
        widths_(header.row_taps ? 1 : header.shape.kernel_width) {}

  void point(const Stretch& stretch, const uint8_t** rows) {
    // Pixels for which the whole width of the kernel is inside the image.
    const int64_t first =
        header_.taps > kMostTogether ? stretch.last : std::clamp(header_.inner_first, stretch.first, stretch.last);
    const int64_t last = std::clamp(header_.inner_last, first, stretch.last);
    int64_t ox = stretch.first;
    for (; ox < first; ++ox, rows += header_.taps) point_pixel(stretch, ox, rows);
    if (ox < last) point_inner({stretch.image, stretch.oy, ox, last}, rows);
    rows += (last - ox) * header_.taps;
    for (ox = last; ox < stretch.last; ++ox, rows += header_.taps) point_pixel(stretch, ox, rows);
  }

 private:
  static constexpr int64_t kMostTogether = 64;  // taps

  // visit(row of the image under a row of the kernel, or null: none), for all rows of the kernel.
  template <typename Visit>
  void for_each_line(const Stretch& stretch, const Visit& visit) const {
    for (int64_t set = 0; set < shape_.weight_sets; ++set) {
      for (int64_t ky = 0; ky < shape_.kernel_height; ++ky) {
        const int64_t y = stretch.oy * shape_.stride_height - shape_.pad_top + ky * shape_.dilation_height;
        const int64_t pixel = (stretch.image * shape_.in_height + y) * shape_.in_width;
        visit(y >= 0 && y < shape_.in_height ? src_ + pixel * shape_.in_pixel_stride : nullptr);
      }
    }
  }
  // Of the input.
  int64_t column(int64_t ox, int64_t kx) const {
    return ox * shape_.stride_width - shape_.pad_left + kx * shape_.dilation_width;
  }

  void point_pixel(const Stretch& stretch, int64_t ox, const uint8_t** rows) {
    const int64_t width = header_.row_taps ? shape_.kernel_width : 1;
    for_each_line(stretch, [&](const uint8_t* line) {
      for (int64_t kx = 0; kx < widths_; ++kx) {
        const int64_t x = column(ox, kx);
        *rows++ = line == nullptr                          ? zeros_
                  : x >= 0 && x + width <= shape_.in_width ? line + x * shape_.in_pixel_stride
                  : header_.row_taps                       ? border(line, x)
                                                           : zeros_;
      }
    });
  }

  // The first pixel's taps, and then a step for each further pixel.
  void point_inner(const Stretch& stretch, const uint8_t** rows) const {
    const uint8_t* taps[kMostTogether];
    int64_t steps[kMostTogether];
    int64_t count = 0;
    for_each_line(stretch, [&](const uint8_t* line) {
      for (int64_t kx = 0; kx < widths_; ++kx, ++count) {
        taps[count] = line == nullptr ? zeros_ : line + column(stretch.first, kx) * shape_.in_pixel_stride;
        steps[count] = line == nullptr ? 0 : shape_.stride_width * shape_.in_pixel_stride;
      }
    });
    const int64_t pixels = stretch.last - stretch.first;
    int64_t tap = 0;
    for (; tap + 3 <= count; tap += 3) step<3>(taps + tap, steps + tap, pixels, rows + tap);
    for (; tap < count; ++tap) step<1>(taps + tap, steps + tap, pixels, rows + tap);
  }
  // kCount neighbouring taps of all pixels.
  template <int kCount>
  void step(const uint8_t* const* taps, const int64_t* steps, int64_t pixels, const uint8_t** rows) const {
    const uint8_t* x[kCount];
    std::copy_n(taps, kCount, x);
    for (int64_t i = 0; i < pixels; ++i, rows += header_.taps) {
      for (int t = 0; t < kCount; ++t) {
        rows[t] = x[t];
        x[t] += steps[t];
      }
    }
  }

  // A row of the kernel that begins at column x, with zero points where the image ends.
  const uint8_t* border(const uint8_t* line, int64_t x) {
    uint8_t* row = borders_;
    borders_ += border_bytes(header_);
    fill_zero_points(header_, header_.depth, row);
    const int64_t first = std::max<int64_t>(x, 0), last = std::min(x + shape_.kernel_width, shape_.in_width);
    if (first < last) {
      // Pixels lie without gaps.
      std::memcpy(row + (first - x) * shape_.in_pixel_stride, line + first * shape_.in_pixel_stride,
                  static_cast<size_t>((last - first) * shape_.in_pixel_stride));
    }
    return row;
  }

  const ConvHeader& header_;
  const ConvShape& shape_;
  const uint8_t* zeros_;
  const uint8_t* src_;
  uint8_t* borders_;
  int64_t widths_;  // taps per row of the kernel
};

// Every pixel is its own operand.
bool is_pointwise(const ConvHeader& header) {
  const ConvShape& s = header.shape;
  return header.taps == 1 && !header.row_taps && s.stride_height == 1 && s.stride_width == 1 && s.pad_top == 0 &&
         s.pad_left == 0 && s.in_height == s.out_height && s.in_width == s.out_width;
}

}  // namespace

void point_conv_rows(const ConvHeader& header, const uint8_t* src, int64_t group, int64_t first, int64_t last,
                     const uint8_t** rows, uint8_t* borders) {
  const ConvShape& s = header.shape;
  if (is_pointwise(header)) {
    const uint8_t* pixel = src + group * (s.in_channels / s.groups) * header.code_bytes + first * s.in_pixel_stride;
    for (int64_t i = 0; i < last - first; ++i, pixel += s.in_pixel_stride) rows[i] = pixel;
    return;
  }
  RowPointer pointer(header, src, group, borders);
  while (first < last) {
    const int64_t line = first / s.out_width, ox = first % s.out_width;
    const int64_t count = std::min(last - first, s.out_width - ox);
    pointer.point({line / s.out_height, line % s.out_height, ox, ox + count}, rows);
    rows += count * header.taps;
    first += count;
  }
}

}  // namespace halftone::kernels
