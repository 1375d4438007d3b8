// Values as images whose pixels are worked on independently, for conversions between floats and codes.
#pragma once

#include <algorithm>

#include "halftone/kernels/convert/convert.h"
#include "halftone/runtime/layout.h"
#include "halftone/runtime/split.h"

namespace halftone::runtime {

// A value as floats and as stored codes. Plain codes are one image of one channel.
struct PixelImages {
  kernels::FloatImage floats;
  int64_t images = 1, pixel_stride = 1;
  int64_t float_stride = 0;  // floats from image to image
  int64_t code_stride = 0;   // bytes from image to image

  PixelImages(const Place& real, const Place& codes) {
    if (codes.layout == Layout::Plain) {
      HT_CHECK(real.layout == Layout::Plain, "plain codes belong to plain floats");
      floats = {1, element_count(codes.shape), 1};
      return;
    }
    const Channels value = channels_of(codes.shape);
    const bool blocked = real.layout == Layout::Blocked;
    floats = {value.c, value.s, blocked ? channel_block(value.c) : 1};
    images = value.n;
    pixel_stride = codes.pixel_stride;
    float_stride = (blocked ? value.padded() : value.c) * value.s;
    code_stride = value.s * codes.pixel_stride;
  }

  // Pixels of all images in parts of a worthwhile size.
  Split split(int threads) const {
    const int64_t pixels = images * floats.pixels;
    const int64_t grain = std::max<int64_t>(kEltwiseGrain / std::max<int64_t>(floats.channels, 1), 1);
    return {pixels, 16, std::clamp<int64_t>(pixels / grain, 1, threads)};
  }

  // Calls work(image, begin, end) for pixels [begin, end) counted through all images.
  template <typename F>
  void for_each(int64_t begin, int64_t end, const F& work) const {
    while (begin < end) {
      const int64_t image = begin / floats.pixels, first = image * floats.pixels;
      const int64_t stop = std::min(end, first + floats.pixels);
      work(image, begin - first, stop - first);
      begin = stop;
    }
  }
};

}  // namespace halftone::runtime
