// A picture's way into a network, and float layers beside integer ones. bench_convert
#include "halftone/kernels/convert/convert.h"
#include "halftone/kernels/memory_bench.h"

using namespace halftone::kernels;

int main() {
  struct Shape {
    FloatImage image;
    int64_t pixel_stride;
  };
  for (const Shape& s : {Shape{{3, 224 * 224, 1}, 3}, Shape{{3, 224 * 224, 1}, 4}, Shape{{64, 784, 1}, 64},
                         Shape{{64, 784, 16}, 64}, Shape{{64, 784, 8}, 64}, Shape{{24, 3136, 16}, 24}}) {
    const int64_t count = s.image.channels * s.image.pixels;
    halftone::Rng rng(1);
    std::vector<float> from(static_cast<size_t>(count * 2));
    for (float& x : from) x = static_cast<float>(rng.uniform(-2, 2));
    std::vector<uint8_t> codes(static_cast<size_t>(s.image.pixels * s.pixel_stride) + kSlack);
    const PixelQuantizer in = make_pixel_quantizer(s.image, s.pixel_stride, s.pixel_stride, {0.017F, {114, 0, 255}});
    const PixelDequantizer out = make_pixel_dequantizer(s.image, s.pixel_stride, {0.017F, 114});
    const std::string shape = std::to_string(s.image.pixels) + " x " + std::to_string(s.image.channels) + " by " +
                              std::to_string(s.image.block) + " / " + std::to_string(s.pixel_stride);
    report("in  " + shape, in.rows->name, 4 * count, s.image.pixels * s.pixel_stride,
           [&] { in.run(from.data(), codes.data(), 0, s.image.pixels); });
    report("out " + shape, out.rows->name, s.image.pixels * s.pixel_stride, 4 * count,
           [&] { out.run(codes.data(), from.data(), 0, s.image.pixels); });
  }
}
