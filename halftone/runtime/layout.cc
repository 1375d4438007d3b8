#include "halftone/runtime/layout.h"

#include "halftone/base/cpu.h"

namespace halftone::runtime {

int64_t channel_block() {
  static const int64_t block = has_isa(Isa::Avx512) ? 16 : 8;
  return block;
}

Channels channels_of(const Shape& shape) {
  HT_CHECK(shape.size() >= 2, "{} has no channels", to_string(shape));
  return {shape[0], shape[1], element_count(Shape(shape.begin() + 2, shape.end()))};
}

int64_t stored_elements(const Shape& shape, Layout layout) {
  if (layout == Layout::Plain) return element_count(shape);
  const Channels channels = channels_of(shape);
  return channels.n * channels.padded() * channels.s;
}

size_t stored_bytes(const Place& place) { return bytes_for(place.dtype, stored_elements(place.shape, place.layout)); }

bool layouts_coincide(const Shape& shape) {
  if (shape.size() < 2) return false;
  const Channels channels = channels_of(shape);
  return channels.s == 1 && (channels.n == 1 || channels.c == channels.padded());
}

}  // namespace halftone::runtime
