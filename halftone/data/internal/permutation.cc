#include "halftone/data/internal/permutation.h"

#include <algorithm>
#include <bit>

#include "halftone/base/error.h"
#include "halftone/base/rng.h"

namespace halftone::data {
namespace {

// The finalizer of splitmix64: every bit of the result depends on every bit of x.
uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

}  // namespace

Permutation::Permutation(int64_t count, uint64_t seed) : count_(static_cast<uint64_t>(count)) {
  HT_CHECK(count > 0);
  half_bits_ = std::max(1, (static_cast<int>(std::bit_width(count_ - 1)) + 1) / 2);
  Rng rng(seed);
  for (uint64_t& key : keys_) key = rng.next();
}

int64_t Permutation::operator()(int64_t index) const {
  const uint64_t mask = (uint64_t{1} << half_bits_) - 1;
  auto value = static_cast<uint64_t>(index);
  do {
    uint64_t left = value >> half_bits_, right = value & mask;
    for (const uint64_t key : keys_) {
      const uint64_t next = left ^ (mix(right ^ key) & mask);
      left = right;
      right = next;
    }
    value = left << half_bits_ | right;
  } while (value >= count_);
  return static_cast<int64_t>(value);
}

}  // namespace halftone::data
