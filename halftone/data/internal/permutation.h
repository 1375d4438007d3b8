// A random order that takes no memory.
#pragma once

#include <array>
#include <cstdint>

namespace halftone::data {

// A permutation of [0, count) that only the seed decides: a Feistel network of four rounds on the smallest even number
// of bits that covers the range, applied until the value falls inside it (Black and Rogaway, "Ciphers with arbitrary
// finite domains", 2002, cycle walking). Not cryptographic. Cost: on average less than four passes a value.
class Permutation {
 public:
  Permutation(int64_t count, uint64_t seed);
  int64_t operator()(int64_t index) const;

 private:
  uint64_t count_;
  int half_bits_;
  std::array<uint64_t, 4> keys_;
};

}  // namespace halftone::data
