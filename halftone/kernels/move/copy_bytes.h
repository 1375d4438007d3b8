// Short copies. Internal to the family.
#pragma once

#include <cstdint>
#include <cstring>

namespace halftone::kernels {

// The two ends of n bytes, kBytes <= n <= 2 * kBytes, which may overlap.
template <size_t kBytes>
inline void copy_ends(uint8_t* to, const uint8_t* from, size_t n) {
  uint8_t first[kBytes], last[kBytes];
  std::memcpy(first, from, kBytes);
  std::memcpy(last, from + n - kBytes, kBytes);
  std::memcpy(to, first, kBytes);
  std::memcpy(to + n - kBytes, last, kBytes);
}

// memcpy for pixels of tens of channels, where calling it costs more than copying.
inline void copy_bytes(uint8_t* to, const uint8_t* from, size_t n) {
  if (n > 128) {
    std::memcpy(to, from, n);
  } else if (n >= 16) {
    for (size_t i = 16; i < n - 15; i += 16) std::memcpy(to + i, from + i, 16);
    copy_ends<16>(to, from, n);
  } else if (n >= 8) {
    copy_ends<8>(to, from, n);
  } else if (n >= 4) {
    copy_ends<4>(to, from, n);
  } else if (n >= 2) {
    copy_ends<2>(to, from, n);
  } else if (n == 1) {
    *to = *from;
  }
}

}  // namespace halftone::kernels
