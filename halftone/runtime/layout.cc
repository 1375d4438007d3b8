#include "halftone/runtime/layout.h"

#include <algorithm>
#include <array>

#include "halftone/base/cpu.h"
#include "halftone/kernels/kernel.h"

namespace halftone::runtime {

int64_t vector_floats() {
  static const int64_t floats = has_isa(Isa::Avx512) ? 16 : 8;
  return floats;
}

bool blocks_are_pixels() {
  static const bool pixels = has_isa(Isa::Avx2) && !has_isa(Isa::Avx512);
  return pixels;
}

int64_t channel_block(int64_t channels) {
  return blocks_are_pixels() ? std::max<int64_t>(channels, 1) : vector_floats();
}

Channels channels_of(const Shape& shape) {
  HT_CHECK(shape.size() >= 2, "{} has no channels", to_string(shape));
  // Steps ask for this in every run, so nothing is allocated here.
  int64_t s = 1;
  for (size_t axis = 2; axis < shape.size(); ++axis) {
    if (__builtin_mul_overflow(s, shape[axis], &s)) fail(ErrorCode::InvalidModel, to_string(shape), "is too large");
  }
  return {shape[0], shape[1], s};
}

int64_t stored_elements(const Shape& shape, Layout layout) {
  if (layout != Layout::Blocked) return element_count(shape);
  const Channels channels = channels_of(shape);
  return channels.n * channels.padded() * channels.s;
}

size_t stored_bytes(const Place& place) {
  if (!place.grid) return bytes_for(place.dtype, stored_elements(place.shape, place.layout));
  if (place.layout == Layout::Plain) return bytes_for(place.dtype, element_count(place.shape)) + kernels::kSlack;
  const Channels channels = channels_of(place.shape);
  return static_cast<size_t>(channels.n * channels.s * place.pixel_stride) + kernels::kSlack;
}

bool layouts_coincide(const Shape& shape) {
  if (shape.size() < 2) return false;
  const Channels channels = channels_of(shape);
  const bool dense = channels.n == 1 || channels.c == channels.padded();
  return channel_block(channels.c) == 1 || (channels.s == 1 && dense);
}

std::vector<int64_t> channels_last_permutation(size_t rank) {
  std::vector<int64_t> permutation = {0};
  for (size_t axis = 2; axis < rank; ++axis) permutation.push_back(static_cast<int64_t>(axis));
  permutation.push_back(1);
  return permutation;
}

bool channels_last_coincides(const Place& place) {
  if (place.shape.size() < 2) return false;
  const Channels channels = channels_of(place.shape);
  const bool dense =
      !place.grid || place.layout == Layout::Plain || place.pixel_stride == channels.c * bits_of(place.dtype) / 8;
  return dense && (channels.s == 1 || channels.c == 1);
}

std::string_view name_of(Layout layout) {
  constexpr std::array<std::string_view, 3> names = {"plain", "blocked", "channels last"};
  return names.at(static_cast<size_t>(layout));
}

}  // namespace halftone::runtime
