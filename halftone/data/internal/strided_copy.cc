#include "halftone/data/internal/strided_copy.h"

#include <cstring>
#include <vector>

#include "halftone/base/error.h"

namespace halftone::data {

void copy_fortran_slice(std::span<const std::byte> from, const Shape& shape, size_t element_bytes, int64_t first,
                        int64_t count, std::span<std::byte> to) {
  HT_CHECK(!shape.empty() && first >= 0 && first + count <= shape[0]);
  const size_t rank = shape.size();
  std::vector<int64_t> strides(rank, 1), position(rank, 0);
  for (size_t i = 1; i < rank; ++i) strides[i] = strides[i - 1] * shape[i - 1];
  int64_t source = first;
  for (size_t done = 0; done < to.size(); done += element_bytes) {
    std::memcpy(to.data() + done, from.data() + static_cast<size_t>(source) * element_bytes, element_bytes);
    // The row-major successor: the last dimension counts first.
    for (size_t axis = rank; axis-- > 0;) {
      source += strides[axis];
      if (++position[axis] < (axis == 0 ? count : shape[axis])) break;
      source -= position[axis] * strides[axis];
      position[axis] = 0;
    }
  }
}

}  // namespace halftone::data
