#include "halftone/kernels/convert/convert.h"

#include "halftone/kernels/test_codes.h"
#include "halftone/quant/quant_params.h"

namespace halftone::kernels::convert_test {
namespace {

using test::untouched;

int64_t float_at(const FloatImage& image, int64_t p, int64_t c) {
  return c / image.block * (image.pixels * image.block) + p * image.block + c % image.block;
}
int64_t float_count(const FloatImage& image) {
  return (image.channels + image.block - 1) / image.block * image.block * image.pixels;
}

// Planes, channels last and blocks; one tile of pixels and several, odd and even.
std::vector<FloatImage> images() {
  std::vector<FloatImage> images;
  for (const int64_t channels : {1, 2, 3, 4, 5, 8, 16, 21, 64, 65, 130}) {
    for (const int64_t pixels : {1, 7, 49, 200, 3001}) {
      for (const int64_t block : {int64_t{1}, channels, int64_t{8}, int64_t{16}}) {
        images.push_back({channels, pixels, block});
      }
    }
  }
  return images;
}

TEST(PixelQuantizer, EveryLayout) {
  Rng rng(1);
  const QuantizeProblem problem = {0.05F, {131, 2, 255}};
  for (const FloatImage& image : images()) {
    std::vector<float> from(static_cast<size_t>(float_count(image)));
    for (float& x : from) x = static_cast<float>(rng.uniform(-8, 8));
    for (const int64_t padded : {image.channels, (image.channels + 3) / 4 * 4}) {
      const int64_t stride = padded + (image.pixels % 2 == 0 ? 3 : 0);
      std::vector<uint8_t> expected = untouched(image.pixels * stride), found = expected;
      for (int64_t p = 0; p < image.pixels; ++p) {
        for (int64_t c = 0; c < padded; ++c) {
          expected[static_cast<size_t>(p * stride + c)] = static_cast<uint8_t>(
              c < image.channels
                  ? halftone::quantize(from[static_cast<size_t>(float_at(image, p, c))], 0.05F, 131, 2, 255)
                  : 131);
        }
      }
      const PixelQuantizer quantizer = make_pixel_quantizer(image, stride, padded, problem);
      const int64_t cut = image.pixels * 2 / 5;
      quantizer.run(from.data(), found.data(), cut, image.pixels);
      quantizer.run(from.data(), found.data(), 0, cut);
      ASSERT_EQ(found, expected) << image.channels << " " << image.pixels << " " << image.block;
    }
  }
}

TEST(PixelDequantizer, EveryLayout) {
  Rng rng(2);
  for (const FloatImage& image : images()) {
    const int64_t stride = image.channels + (image.pixels % 2 == 0 ? 3 : 0);
    const std::vector<uint8_t> from = test::random_codes(rng, image.pixels * stride);
    // Channels behind the last of a block are real 0.
    std::vector<float> expected(static_cast<size_t>(float_count(image))), found(expected.size(), -1.5F);
    for (int64_t p = 0; p < image.pixels; ++p) {
      for (int64_t c = 0; c < image.channels; ++c) {
        expected[static_cast<size_t>(float_at(image, p, c))] =
            halftone::dequantize(from[static_cast<size_t>(p * stride + c)], 0.037F, 99);
      }
    }
    const PixelDequantizer dequantizer = make_pixel_dequantizer(image, stride, {0.037F, 99});
    const int64_t cut = image.pixels * 2 / 5;
    dequantizer.run(from.data(), found.data(), cut, image.pixels);
    dequantizer.run(from.data(), found.data(), 0, cut);
    ASSERT_EQ(found, expected) << image.channels << " " << image.pixels << " " << image.block;
  }
}

}  // namespace
}  // namespace halftone::kernels::convert_test
