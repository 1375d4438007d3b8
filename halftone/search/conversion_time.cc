#include "halftone/search/conversion_time.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <vector>

#include "halftone/kernels/convert/convert.h"
#include "halftone/kernels/kernel.h"
#include "halftone/runtime/layout.h"

namespace halftone::search {
namespace {

// The least is stable long before.
constexpr int kRounds = 25;

template <typename F>
double least_us(const F& run) {
  double least = std::numeric_limits<double>::infinity();
  for (int round = 0; round < kRounds; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    run();
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
    least = std::min(least, took.count());
  }
  return least;
}

}  // namespace

ConversionTime measure_conversion(const Shape& shape) {
  // Values with an image keep oneDNN's blocks, others are rows.
  kernels::FloatImage image{1, element_count(shape), 1};
  int64_t images = 1, floats = element_count(shape);
  if (shape.size() >= 3) {
    const runtime::Channels value = runtime::channels_of(shape);
    image = {value.c, value.s, runtime::channel_block(value.c)};
    images = value.n;
    floats = value.padded() * value.s;
  }
  const kernels::StoredGrid grid{128, 0, 255};
  const auto to_codes = kernels::make_pixel_quantizer(image, image.channels, image.channels, {0.01F, grid});
  const auto to_floats = kernels::make_pixel_dequantizer(image, image.channels, {0.01F, grid.zero_point});
  std::vector<float> real(static_cast<size_t>(floats), 0.5F);
  std::vector<uint8_t> codes(static_cast<size_t>(image.channels * image.pixels) + kernels::kSlack);
  const auto times = static_cast<double>(images);
  return {times * least_us([&] { to_codes.run(real.data(), codes.data(), 0, image.pixels); }),
          times * least_us([&] { to_floats.run(codes.data(), real.data(), 0, image.pixels); })};
}

}  // namespace halftone::search
