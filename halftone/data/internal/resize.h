// Resampling of images. Internal to the room.
#pragma once

#include <cstdint>
#include <vector>

#include "halftone/data/dataset.h"
#include "halftone/data/preprocess.h"

namespace halftone::data {

// Where one output position reads along an axis: sum over k of weights[i * count + k] * source[indices[i * count + k]].
struct Taps {
  int64_t count = 0;  // per output position, padded with zero weights
  std::vector<int32_t> indices;
  std::vector<float> weights;
};

// Output position x has its centre at (x + 0.5) * in / out in the source (half-pixel centres). Nearest reads the pixel
// that contains it. Without antialias the filter's support is that of magnification and pixels beyond the edge repeat
// the edge (ONNX Resize, mode linear or cubic with cubic_coeff_a = -0.75, exclude_outside = 0; OpenCV does the same).
// With antialias a reduced image is filtered over the whole source area of a pixel: the support grows with in / out,
// weights beyond the edge are left out and the rest normalized, and the cubic has a = -0.5 (as Pillow).
Taps make_taps(int64_t in, int64_t out, Preprocess::Filter filter, bool antialias);

// Resizes to height x width; each result is rounded to the nearest 8-bit value, once, after both directions.
// An image of that size already is returned as it is. Cost: about 1.5 ns per tap and value.
Image resize(const Image& image, int64_t height, int64_t width, Preprocess::Filter filter, bool antialias);

}  // namespace halftone::data
