#include "halftone/kernels/move/pick_pixels.h"

#include "halftone/kernels/move/copy_bytes.h"

namespace halftone::kernels {

void pick_pixels(const int32_t* index, int64_t from_stride, int64_t to_stride, int64_t bytes, const uint8_t* from,
                 uint8_t* to, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    copy_bytes(to + i * to_stride, from + index[i] * from_stride, static_cast<size_t>(bytes));
  }
}

}  // namespace halftone::kernels
