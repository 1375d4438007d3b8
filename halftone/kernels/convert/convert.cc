#include "halftone/kernels/convert/convert.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "halftone/base/error.h"

namespace halftone::kernels {
namespace {

// Planes are turned tile by tile: a tile of codes lies as planes in fast memory, its other side is floats of planes, or
// codes of pixels.
struct Tile {
  static constexpr int64_t kBytes = 8192;
  int64_t channels, pixels;

  static Tile of(int64_t channels) {
    const int64_t c = std::min<int64_t>(channels, 64);
    return {c, kBytes / c / 64 * 64};
  }
};
// Reading over the end of a row stays within the array.
using TileBytes = std::array<uint8_t, Tile::kBytes + kSlack>;

// Calls f(channel, channels, pixel, pixels) for the tiles of channels [0, channels) and pixels [begin, end).
template <typename F>
void for_each_tile(const Tile& tile, int64_t channels, int64_t begin, int64_t end, F f) {
  for (int64_t p = begin; p < end; p += tile.pixels) {
    for (int64_t c = 0; c < channels; c += tile.channels) {
      f(c, std::min(tile.channels, channels - c), p, std::min(tile.pixels, end - p));
    }
  }
}

// Channels of one block lie together in every layout but planes of several channels.
bool has_planes(const FloatImage& image) { return image.block == 1 && image.channels > 1; }

// Kernels for transposing tiles, chosen by the largest.
const TransposeKernel* choose_tiles(bool planes, const Rows& rows) {
  return planes ? choose_transpose(rows).kernel : nullptr;
}

}  // namespace

PixelQuantizer make_pixel_quantizer(const FloatImage& from, int64_t pixel_stride, int64_t padded_channels,
                                    const QuantizeProblem& problem) {
  HT_CHECK(from.channels > 0 && from.channels <= padded_channels && padded_channels <= pixel_stride,
           "{} channels, {} with padding, stride {}", from.channels, padded_channels, pixel_stride);
  const Tile tile = Tile::of(padded_channels);
  return {from,
          pixel_stride,
          padded_channels,
          problem,
          choose_quantize(problem).kernel,
          choose_tiles(has_planes(from), {tile.channels, tile.pixels, tile.pixels, pixel_stride})};
}

void PixelQuantizer::run(const float* image, uint8_t* codes, int64_t begin, int64_t end) const {
  if (has_planes(from)) {
    TileBytes bytes;
    for_each_tile(
        Tile::of(padded_channels), padded_channels, begin, end,
        [&](int64_t c, int64_t channels, int64_t p, int64_t pixels) {
          const int64_t real = std::clamp<int64_t>(from.channels - c, 0, channels);
          rows->run(problem, {real, pixels, from.pixels, pixels}, image + c * from.pixels + p, bytes.data());
          std::memset(bytes.data() + real * pixels, problem.grid.zero_point,
                      static_cast<size_t>((channels - real) * pixels));
          transpose->run({channels, pixels, pixels, pixel_stride}, bytes.data(), codes + p * pixel_stride + c);
        });
    return;
  }
  for (int64_t c = 0; c < from.channels; c += from.block) {
    const float* block = image + (c * from.pixels + begin * from.block);
    rows->run(problem, {end - begin, std::min(from.block, from.channels - c), from.block, pixel_stride}, block,
              codes + begin * pixel_stride + c);
  }
  if (padded_channels == from.channels) return;
  for (int64_t p = begin; p < end; ++p) {
    std::memset(codes + p * pixel_stride + from.channels, problem.grid.zero_point,
                static_cast<size_t>(padded_channels - from.channels));
  }
}

PixelDequantizer make_pixel_dequantizer(const FloatImage& to, int64_t pixel_stride, const DequantizeProblem& problem) {
  HT_CHECK(to.channels > 0 && to.channels <= pixel_stride, "{} channels, stride {}", to.channels, pixel_stride);
  const Tile tile = Tile::of(to.channels);
  return {to, pixel_stride, problem, choose_dequantize(problem).kernel,
          choose_tiles(has_planes(to), {tile.pixels, tile.channels, pixel_stride, tile.pixels})};
}

void PixelDequantizer::run(const uint8_t* codes, float* image, int64_t begin, int64_t end) const {
  if (has_planes(to)) {
    TileBytes bytes;
    for_each_tile(
        Tile::of(to.channels), to.channels, begin, end, [&](int64_t c, int64_t channels, int64_t p, int64_t pixels) {
          transpose->run({pixels, channels, pixel_stride, pixels}, codes + p * pixel_stride + c, bytes.data());
          rows->run(problem, {channels, pixels, pixels, to.pixels}, bytes.data(), image + c * to.pixels + p);
        });
    return;
  }
  for (int64_t c = 0; c < to.channels; c += to.block) {
    float* block = image + (c * to.pixels + begin * to.block);
    const int64_t channels = std::min(to.block, to.channels - c);
    rows->run(problem, {end - begin, channels, pixel_stride, to.block}, codes + begin * pixel_stride + c, block);
    for (int64_t p = 0; channels < to.block && p < end - begin; ++p) {
      std::fill(block + p * to.block + channels, block + (p + 1) * to.block, 0.0F);
    }
  }
}

}  // namespace halftone::kernels
