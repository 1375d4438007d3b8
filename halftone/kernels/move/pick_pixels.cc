#include "halftone/kernels/move/pick_pixels.h"

#include <cstring>

namespace halftone::kernels {
namespace {

// A copy whose length the compiler knows is one or two instructions.
template <size_t kBytes>
void pick(const int32_t* index, int64_t from_stride, int64_t to_stride, const uint8_t* from, uint8_t* to,
          int64_t count) {
  for (int64_t i = 0; i < count; ++i) std::memcpy(to + i * to_stride, from + index[i] * from_stride, kBytes);
}

}  // namespace

void pick_pixels(const int32_t* index, int64_t from_stride, int64_t to_stride, int64_t bytes, const uint8_t* from,
                 uint8_t* to, int64_t begin, int64_t end) {
  index += begin;
  to += begin * to_stride;
  const int64_t count = end - begin;
  switch (bytes) {
    case 1:
      return pick<1>(index, from_stride, to_stride, from, to, count);
    case 4:
      return pick<4>(index, from_stride, to_stride, from, to, count);
    case 16:
      return pick<16>(index, from_stride, to_stride, from, to, count);
    case 32:
      return pick<32>(index, from_stride, to_stride, from, to, count);
    case 64:
      return pick<64>(index, from_stride, to_stride, from, to, count);
    default:
      break;
  }
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(to + i * to_stride, from + index[i] * from_stride, static_cast<size_t>(bytes));
  }
}

}  // namespace halftone::kernels
