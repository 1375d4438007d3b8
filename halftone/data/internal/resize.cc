#include "halftone/data/internal/resize.h"

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"

namespace halftone::data {
namespace {

using Filter = Preprocess::Filter;

double triangle(double x) { return std::max(0.0, 1 - std::abs(x)); }

// Keys' cubic convolution ("Cubic convolution interpolation for digital image processing", 1981, equation 8) with the
// free parameter a.
double cubic(double x, double a) {
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return a * (((x - 5) * x + 8) * x - 4);
  return 0;
}

Taps nearest_taps(int64_t in, int64_t out) {
  Taps taps{1, {}, std::vector<float>(static_cast<size_t>(out), 1.0f)};
  for (int64_t x = 0; x < out; ++x) taps.indices.push_back(static_cast<int32_t>((2 * x + 1) * in / (2 * out)));
  return taps;
}

Taps interpolating_taps(int64_t in, int64_t out, Filter filter) {
  const int64_t support = filter == Filter::Bicubic ? 2 : 1;
  Taps taps{2 * support, {}, {}};
  for (int64_t x = 0; x < out; ++x) {
    const double centre = (static_cast<double>(x) + 0.5) * static_cast<double>(in) / static_cast<double>(out) - 0.5;
    const double base = std::floor(centre);
    for (int64_t k = 1 - support; k <= support; ++k) {
      const double distance = centre - (base + static_cast<double>(k));
      const int64_t index = std::clamp<int64_t>(static_cast<int64_t>(base) + k, 0, in - 1);
      taps.indices.push_back(static_cast<int32_t>(index));
      taps.weights.push_back(
          static_cast<float>(filter == Filter::Bicubic ? cubic(distance, -0.75) : triangle(distance)));
    }
  }
  return taps;
}

Taps antialiased_taps(int64_t in, int64_t out, Filter filter) {
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double stretch = std::max(scale, 1.0);
  const double support = (filter == Filter::Bicubic ? 2 : 1) * stretch;
  Taps taps{std::min(in, static_cast<int64_t>(std::ceil(support)) * 2 + 1), {}, {}};
  for (int64_t x = 0; x < out; ++x) {
    const double centre = (static_cast<double>(x) + 0.5) * scale;
    const auto first = std::max<int64_t>(0, static_cast<int64_t>(std::floor(centre - support + 0.5)));
    const auto last = std::min<int64_t>(in, static_cast<int64_t>(std::floor(centre + support + 0.5)));
    std::vector<double> weights;
    double sum = 0;
    for (int64_t i = first; i < last; ++i) {
      const double distance = (static_cast<double>(i) + 0.5 - centre) / stretch;
      weights.push_back(filter == Filter::Bicubic ? cubic(distance, -0.5) : triangle(distance));
      sum += weights.back();
    }
    for (int64_t k = 0; k < taps.count; ++k) {
      const bool used = k < last - first;
      taps.indices.push_back(static_cast<int32_t>(used ? first + k : first));
      taps.weights.push_back(used ? static_cast<float>(weights[static_cast<size_t>(k)] / sum) : 0.0f);
    }
  }
  return taps;
}

// row[i] = sum of weighted source rows: whole rows at a time, so that it vectorizes.
void blend_rows(const Image& image, const Taps& taps, int64_t y, std::vector<float>& row) {
  const size_t length = row.size();
  for (int64_t k = 0; k < taps.count; ++k) {
    const auto tap = static_cast<size_t>(y * taps.count + k);
    const float weight = taps.weights[tap];
    const uint8_t* from = image.pixels.data() + static_cast<size_t>(taps.indices[tap]) * length;
    float* to = row.data();
    if (k == 0) {
      for (size_t i = 0; i < length; ++i) to[i] = weight * static_cast<float>(from[i]);
    } else if (weight != 0) {
      for (size_t i = 0; i < length; ++i) to[i] += weight * static_cast<float>(from[i]);
    }
  }
}

uint8_t to_byte(float value) { return static_cast<uint8_t>(std::clamp(value, 0.0f, 255.0f) + 0.5f); }

// kCount > 0 is the number of taps at compile time; 0 takes it from `taps`.
template <int64_t kCount>
void blend_columns(const std::vector<float>& row, const Taps& taps, int64_t width, uint8_t* to) {
  const int64_t count = kCount > 0 ? kCount : taps.count;
  const int32_t* index = taps.indices.data();
  const float* weight = taps.weights.data();
  for (int64_t x = 0; x < width; ++x, index += count, weight += count, to += 3) {
    float r = 0, g = 0, b = 0;
    for (int64_t k = 0; k < count; ++k) {
      const float* pixel = row.data() + 3 * static_cast<size_t>(index[k]);
      r += weight[k] * pixel[0];
      g += weight[k] * pixel[1];
      b += weight[k] * pixel[2];
    }
    to[0] = to_byte(r);
    to[1] = to_byte(g);
    to[2] = to_byte(b);
  }
}

}  // namespace

Taps make_taps(int64_t in, int64_t out, Filter filter, bool antialias) {
  HT_CHECK(in > 0 && out > 0);
  if (filter == Filter::Nearest) return nearest_taps(in, out);
  return antialias ? antialiased_taps(in, out, filter) : interpolating_taps(in, out, filter);
}

Image resize(const Image& image, int64_t height, int64_t width, Filter filter, bool antialias) {
  if (image.height == height && image.width == width) return image;
  const Taps vertical = make_taps(image.height, height, filter, antialias);
  const Taps horizontal = make_taps(image.width, width, filter, antialias);
  const auto blend = horizontal.count == 2   ? blend_columns<2>
                     : horizontal.count == 4 ? blend_columns<4>
                                             : blend_columns<0>;
  Image result{height, width, std::vector<uint8_t>(static_cast<size_t>(3 * height * width))};
  std::vector<float> row(static_cast<size_t>(3 * image.width));
  for (int64_t y = 0; y < height; ++y) {
    blend_rows(image, vertical, y, row);
    blend(row, horizontal, width, result.pixels.data() + 3 * y * width);
  }
  return result;
}

}  // namespace halftone::data
