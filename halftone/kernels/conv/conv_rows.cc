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
        spans_(reinterpret_cast<const ConvSpan*>(reinterpret_cast<const std::byte*>(&header) + header.spans)),
        zeros_(reinterpret_cast<const uint8_t*>(&header) + header.zeros),
        src_(src + group * (header.shape.in_channels / header.shape.groups)),
        borders_(borders) {}

  void point(const Stretch& stretch, const uint8_t** rows) {
    for (int64_t set = 0; set < shape_.weight_sets; ++set) {
      for (int64_t ky = 0; ky < shape_.kernel_height; ++ky) {
        const int64_t y = stretch.oy * shape_.stride_height - shape_.pad_top + ky * shape_.dilation_height;
        const bool inside = y >= 0 && y < shape_.in_height;
        const uint8_t* line =
            inside ? src_ + (stretch.image * shape_.in_height + y) * shape_.in_width * shape_.in_pixel_stride : nullptr;
        for (int64_t kx = 0; kx < (header_.row_taps ? 1 : shape_.kernel_width); ++kx)
          point_tap(stretch, line, kx, rows++);
      }
    }
  }

 private:
  // `line` is the row of the image, or null: none.
  void point_tap(const Stretch& stretch, const uint8_t* line, int64_t kx, const uint8_t** rows) {
    const int64_t first = line == nullptr ? stretch.last : std::clamp(spans_[kx].first, stretch.first, stretch.last);
    const int64_t last = std::clamp(spans_[kx].last, first, stretch.last);
    for (int64_t ox = stretch.first; ox < first; ++ox, rows += header_.taps) *rows = outside(line, ox);
    if (first < last) {
      const uint8_t* x = line + column(first, kx) * shape_.in_pixel_stride;
      const int64_t step = shape_.stride_width * shape_.in_pixel_stride, taps = header_.taps;
      for (int64_t ox = first; ox < last; ++ox, rows += taps, x += step) *rows = x;
    }
    for (int64_t ox = last; ox < stretch.last; ++ox, rows += header_.taps) *rows = outside(line, ox);
  }

  int64_t column(int64_t ox, int64_t kx) const {
    return ox * shape_.stride_width - shape_.pad_left + kx * shape_.dilation_width;
  }

  const uint8_t* outside(const uint8_t* line, int64_t ox) {
    return header_.row_taps && line != nullptr ? border(line, column(ox, 0)) : zeros_;
  }

  // A row of the kernel that begins at column x, with zero points where the image ends.
  const uint8_t* border(const uint8_t* line, int64_t x) {
    uint8_t* row = borders_;
    borders_ += border_bytes(header_);
    std::memset(row, header_.x_zero_point, static_cast<size_t>(header_.depth));
    const int64_t first = std::max<int64_t>(x, 0), last = std::min(x + shape_.kernel_width, shape_.in_width);
    if (first < last) {
      std::memcpy(row + (first - x) * shape_.in_channels, line + first * shape_.in_channels,
                  static_cast<size_t>((last - first) * shape_.in_channels));
    }
    return row;
  }

  const ConvHeader& header_;
  const ConvShape& shape_;
  const ConvSpan* spans_;
  const uint8_t* zeros_;
  const uint8_t* src_;
  uint8_t* borders_;
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
    const uint8_t* pixel = src + group * (s.in_channels / s.groups) + first * s.in_pixel_stride;
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
