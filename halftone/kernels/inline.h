// Small helpers of sources that are compiled for an instruction-set level. Everything lies in an unnamed namespace:
// code compiled for one level must not be shared with sources compiled for another.
#pragma once

#include <cstdint>

#define HT_INLINE inline __attribute__((always_inline))

namespace halftone::kernels {
namespace {

// The number that lies at p, aligned or not.
template <typename T>
HT_INLINE T load_as(const void* p) {
  T value;
  __builtin_memcpy(&value, p, sizeof value);
  return value;
}

}  // namespace
}  // namespace halftone::kernels
