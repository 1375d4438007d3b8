#include "halftone/runtime/wide_codes.h"

#include "halftone/base/error.h"
#include "halftone/kernels/wide_grid.h"

namespace halftone::runtime {
namespace {

int64_t element_size(const Place& place) { return bits_of(place.dtype) / 8; }

// Channels last, from pixel to pixel in elements.
int64_t pixel_step(const Place& place) {
  return place.grid ? place.pixel_stride / element_size(place) : channels_of(place.shape).c;
}

bool same_order(const Place& from, const Place& to) {
  if (from.layout != to.layout) return false;
  if (from.layout == Layout::Plain) return true;
  const int64_t channels = channels_of(from.shape).c;
  return from.layout == Layout::ChannelsLast && pixel_step(from) == channels && pixel_step(to) == channels;
}

}  // namespace

ChannelLine ChannelLines::line(const Place& place, int64_t image, int64_t channel) const {
  if (flat) return {};
  if (place.layout == Layout::ChannelsLast) {
    const int64_t step = pixel_step(place);
    return {image * pixels * step + channel, step};
  }
  if (place.layout == Layout::Blocked) {
    const int64_t block = channel_block(channels), blocks = padded_channels(channels) / block;
    return {(image * blocks + channel / block) * pixels * block + channel % block, block};
  }
  return {(image * channels + channel) * pixels, 1};
}

ChannelLines channel_lines(const Place& from, const Place& to) {
  if (same_order(from, to)) return {1, 1, element_count(from.shape), /*flat=*/true};
  const Channels value = channels_of(from.shape);
  return {value.n, value.c, value.s, /*flat=*/false};
}

void add_wide_quantize(Lowering& lowering, const std::string& name, const Place& from, const Place& to) {
  const kernels::StoredGrid grid = kernels::wide_grid(*to.grid);
  add_element_step<int16_t, float>(lowering, name + " to codes", from, to, [grid, scale = to.grid->scale](float x) {
    const float steps = x / scale;
    // What is not a number becomes the zero point.
    return static_cast<int16_t>(to_code(steps == steps ? steps : 0.0F, grid.zero_point, grid.low, grid.high));
  });
}

void add_wide_dequantize(Lowering& lowering, const std::string& name, const Place& from, const Place& to) {
  if (to.layout == Layout::Blocked && channels_of(to.shape).c != channels_of(to.shape).padded()) {
    const size_t bytes = stored_bytes(to);
    lowering.add_step({name + " padding", 1,
                       [to, bytes](RunMemory& memory) -> Step::Work {
                         return [target = memory.at(to.where), bytes](int) { std::fill_n(target, bytes, std::byte{}); };
                       }},
                      {to.where});
  }
  const int32_t zero_point = kernels::wide_grid(*from.grid).zero_point;
  add_element_step<float, int16_t>(
      lowering, name + " to floats", from, to,
      [zero_point, scale = from.grid->scale](int16_t code) { return scale * static_cast<float>(code - zero_point); });
}

void add_wide_transpose(Lowering& lowering, const std::string& name, const Place& from, const Place& to) {
  const char* into = to.layout == Layout::Plain ? " to plain" : " to channels last";
  add_element_step<int16_t, int16_t>(lowering, name + into, from, to, [](int16_t code) { return code; });
}

Place widened(Lowering& lowering, const std::string& name, const Place& codes) {
  Place wide{DType::Int16, codes.shape, codes.layout, {}, -1, codes.grid, 0};
  if (codes.layout == Layout::ChannelsLast) wide.pixel_stride = channels_of(codes.shape).c * element_size(wide);
  wide.where.buffer = lowering.add_buffer(stored_bytes(wide));
  add_element_step<int16_t, uint8_t>(lowering, name + " widened", codes, wide,
                                     [](uint8_t code) { return int16_t{code}; });
  return wide;
}

}  // namespace halftone::runtime
