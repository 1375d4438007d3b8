#include "halftone/data/internal/resize.h"

#include <algorithm>
#include <cmath>

#include "tests/support/data_files.h"

namespace halftone::data::resize_test {
namespace {

using Filter = Preprocess::Filter;

// The definition, for one channel of one result pixel: a sum over the whole source of the product of two kernels.
double kernel(Filter filter, double x, double a) {
  x = std::abs(x);
  if (filter == Filter::Bilinear) return x < 1 ? 1 - x : 0;
  if (x < 1) return (a + 2) * x * x * x - (a + 3) * x * x + 1;
  if (x < 2) return a * x * x * x - 5 * a * x * x + 8 * a * x - 4 * a;
  return 0;
}

// Weight of source position i for result position o along an axis.
double axis_weight(Filter filter, bool antialias, int64_t in, int64_t out, int64_t o, int64_t i) {
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double centre = (static_cast<double>(o) + 0.5) * scale - 0.5;
  if (antialias) {
    const double stretch = std::max(1.0, scale);
    double sum = 0;
    for (int64_t k = 0; k < in; ++k) sum += kernel(filter, (static_cast<double>(k) - centre) / stretch, -0.5);
    return kernel(filter, (static_cast<double>(i) - centre) / stretch, -0.5) / sum;
  }
  double weight = 0;
  for (int64_t k = -4; k < in + 4; ++k) {  // positions beyond the edge repeat it
    if (std::clamp<int64_t>(k, 0, in - 1) == i) weight += kernel(filter, static_cast<double>(k) - centre, -0.75);
  }
  return weight;
}

double naive(const Image& image, int64_t height, int64_t width, Filter filter, bool antialias, int64_t y, int64_t x,
             int64_t c) {
  double sum = 0;
  for (int64_t i = 0; i < image.height; ++i) {
    const double wy = axis_weight(filter, antialias, image.height, height, y, i);
    if (wy == 0) continue;
    for (int64_t j = 0; j < image.width; ++j) {
      sum += wy * axis_weight(filter, antialias, image.width, width, x, j) *
             image.pixels[static_cast<size_t>((i * image.width + j) * 3 + c)];
    }
  }
  return std::clamp(sum, 0.0, 255.0);
}

TEST(Resize, EqualsTheDefinition) {
  struct Case {
    int64_t in_height, in_width, height, width;
  };
  for (const Case& size :
       {Case{7, 9, 5, 6}, {5, 4, 11, 13}, {1, 1, 3, 2}, {16, 3, 4, 9}, {20, 20, 1, 1}, {2, 31, 2, 7}}) {
    const Image image = test::test_image(size.in_height, size.in_width, 5);
    for (const Filter filter : {Filter::Bilinear, Filter::Bicubic}) {
      for (const bool antialias : {false, true}) {
        const Image result = resize(image, size.height, size.width, filter, antialias);
        ASSERT_EQ(result.pixels.size(), static_cast<size_t>(size.height * size.width * 3));
        for (int64_t y = 0; y < size.height; ++y) {
          for (int64_t x = 0; x < size.width; ++x) {
            for (int64_t c = 0; c < 3; ++c) {
              // Rounded to the nearest integer, with room for the last bits of float sums.
              EXPECT_NEAR(result.pixels[static_cast<size_t>((y * size.width + x) * 3 + c)],
                          naive(image, size.height, size.width, filter, antialias, y, x, c), 0.501)
                  << size.in_height << "x" << size.in_width << " -> " << size.height << "x" << size.width;
            }
          }
        }
      }
    }
  }
}

TEST(Resize, NearestReadsThePixelThatContainsTheCentre) {
  Image image{1, 5, {}};
  for (uint8_t i = 0; i < 5; ++i) image.pixels.insert(image.pixels.end(), 3, i);
  const auto reds = [](const Image& from) {
    std::vector<int> values;
    for (size_t i = 0; i < from.pixels.size(); i += 3) values.push_back(from.pixels[i]);
    return values;
  };
  // Centres (x + 0.5) * 5 / 3 = 0.83, 2.5, 4.17; with 10 results 0.25, 0.75, 1.25 ...
  EXPECT_EQ(reds(resize(image, 1, 3, Filter::Nearest, false)), (std::vector<int>{0, 2, 4}));
  EXPECT_EQ(reds(resize(image, 1, 10, Filter::Nearest, true)), (std::vector<int>{0, 0, 1, 1, 2, 2, 3, 3, 4, 4}));
}

TEST(Resize, ByHand) {
  // 2 -> 4 with half-pixel centres: 100, 100 * 0.75 + 200 * 0.25, ...
  Image image{1, 2, {100, 100, 100, 200, 200, 200}};
  const Image result = resize(image, 1, 4, Filter::Bilinear, false);
  EXPECT_EQ(result.pixels[0], 100);
  EXPECT_EQ(result.pixels[3], 125);
  EXPECT_EQ(result.pixels[6], 175);
  EXPECT_EQ(result.pixels[9], 200);
}

TEST(Resize, SameSizeIsNoOpAndFlatStaysFlat) {
  const Image image = test::test_image(6, 7);
  for (const Filter filter : {Filter::Nearest, Filter::Bilinear, Filter::Bicubic}) {
    for (const bool antialias : {false, true}) {
      EXPECT_EQ(resize(image, 6, 7, filter, antialias).pixels, image.pixels);
      const Image flat = resize(test::flat_image(19, 23, 3, 128, 255), 7, 31, filter, antialias);
      EXPECT_EQ(flat.pixels, test::flat_image(7, 31, 3, 128, 255).pixels);
    }
  }
}

}  // namespace
}  // namespace halftone::data::resize_test
