#include <algorithm>
#include <cstring>

#include "halftone/kernels/conv/conv_blob.h"

namespace halftone::kernels {
namespace {

class RowPointer {
 public:
  RowPointer(const ConvHeader& header, const uint8_t* src, const uint8_t* zeros, int64_t group, uint8_t* borders)
      : header_(header),
        shape_(header.shape),
        src_(src + group * (header.shape.in_channels / header.shape.groups)),
        zeros_(zeros),
        borders_(borders),
        step_(header.shape.stride_width * header.shape.in_pixel_stride) {
    // Output columns [inner_first_, inner_last_) have the whole width of the kernel inside the image.
    const int64_t reach = (shape_.kernel_width - 1) * shape_.dilation_width;
    const int64_t room = shape_.in_width - 1 - reach + shape_.pad_left;
    inner_first_ = (shape_.pad_left + shape_.stride_width - 1) / shape_.stride_width;
    inner_last_ = room < 0 ? 0 : room / shape_.stride_width + 1;
  }

  // `count` neighbours in one output row.
  void point(int64_t image, int64_t oy, int64_t ox, int64_t count, const uint8_t** rows) {
    for (int64_t i = 0; i < count; ++i, ++ox, rows += header_.taps) {
      const bool inner = ox >= inner_first_ && ox < inner_last_;
      if (inner && i > 0 && ox > inner_first_) {
        follow(oy, rows);
      } else {
        header_.row_taps ? point_row_taps(image, oy, ox, inner, rows) : point_taps(image, oy, ox, rows);
      }
    }
  }

 private:
  const uint8_t* pixel(int64_t image, int64_t y, int64_t x) const {
    return src_ + ((image * shape_.in_height + y) * shape_.in_width + x) * shape_.in_pixel_stride;
  }
  int64_t in_row(int64_t oy, int64_t ky) const {
    return oy * shape_.stride_height - shape_.pad_top + ky * shape_.dilation_height;
  }
  bool has_row(int64_t y) const { return y >= 0 && y < shape_.in_height; }

  void point_taps(int64_t image, int64_t oy, int64_t ox, const uint8_t** rows) const {
    for (int64_t set = 0; set < shape_.weight_sets; ++set) {
      for (int64_t ky = 0; ky < shape_.kernel_height; ++ky) {
        const int64_t y = in_row(oy, ky);
        for (int64_t kx = 0; kx < shape_.kernel_width; ++kx) {
          const int64_t x = ox * shape_.stride_width - shape_.pad_left + kx * shape_.dilation_width;
          *rows++ = has_row(y) && x >= 0 && x < shape_.in_width ? pixel(image, y, x) : zeros_;
        }
      }
    }
  }

  void point_row_taps(int64_t image, int64_t oy, int64_t ox, bool inner, const uint8_t** rows) {
    const int64_t x = ox * shape_.stride_width - shape_.pad_left;
    for (int64_t set = 0; set < shape_.weight_sets; ++set) {
      for (int64_t ky = 0; ky < shape_.kernel_height; ++ky) {
        const int64_t y = in_row(oy, ky);
        *rows++ = !has_row(y) ? zeros_ : inner ? pixel(image, y, x) : border(image, y, x);
      }
    }
  }

  const uint8_t* border(int64_t image, int64_t y, int64_t x) {
    uint8_t* row = borders_;
    borders_ += border_bytes(header_);
    std::memset(row, header_.x_zero_point, static_cast<size_t>(header_.depth));
    const int64_t first = std::max<int64_t>(x, 0), last = std::min(x + shape_.kernel_width, shape_.in_width);
    if (first < last) {
      std::memcpy(row + (first - x) * shape_.in_channels, pixel(image, y, first),
                  static_cast<size_t>((last - first) * shape_.in_channels));
    }
    return row;
  }

  // The pixel's left neighbour was an inner one too: what pointed into the image moves on by one step.
  void follow(int64_t oy, const uint8_t** rows) const {
    const int64_t width = header_.row_taps ? 1 : shape_.kernel_width;
    const uint8_t** before = rows - header_.taps;
    for (int64_t set = 0; set < shape_.weight_sets; ++set) {
      for (int64_t ky = 0; ky < shape_.kernel_height; ++ky, rows += width, before += width) {
        const int64_t step = has_row(in_row(oy, ky)) ? step_ : 0;
        for (int64_t kx = 0; kx < width; ++kx) rows[kx] = before[kx] + step;
      }
    }
  }

  const ConvHeader& header_;
  const ConvShape& shape_;
  const uint8_t* src_;
  const uint8_t* zeros_;
  uint8_t* borders_;
  int64_t step_;
  int64_t inner_first_, inner_last_;
};

// Every pixel is its own operand.
bool is_pointwise(const ConvHeader& header) {
  const ConvShape& s = header.shape;
  return header.taps == 1 && !header.row_taps && s.stride_height == 1 && s.stride_width == 1 && s.pad_top == 0 &&
         s.pad_left == 0 && s.in_height == s.out_height && s.in_width == s.out_width;
}

}  // namespace

void point_conv_rows(const ConvHeader& header, const uint8_t* src, const uint8_t* zeros, int64_t group, int64_t first,
                     int64_t last, const uint8_t** rows, uint8_t* borders) {
  const ConvShape& s = header.shape;
  if (is_pointwise(header)) {
    const uint8_t* pixel = src + group * (s.in_channels / s.groups) + first * s.in_pixel_stride;
    for (int64_t i = 0; i < last - first; ++i, pixel += s.in_pixel_stride) rows[i] = pixel;
    return;
  }
  RowPointer pointer(header, src, zeros, group, borders);
  while (first < last) {
    const int64_t line = first / s.out_width, ox = first % s.out_width;
    const int64_t count = std::min(last - first, s.out_width - ox);
    pointer.point(line / s.out_height, line % s.out_height, ox, count, rows);
    rows += count * header.taps;
    first += count;
  }
}

}  // namespace halftone::kernels
