// Random numbers that are the same on every machine and standard library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace halftone {

// xoshiro256** seeded through splitmix64 (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018).
// Deterministic: equal (seed, stream) give equal sequences everywhere; different streams of one seed are independent,
// so that parallel work can draw per item rather than per thread.
class Rng {
 public:
  explicit Rng(uint64_t seed, uint64_t stream = 0);

  uint64_t next();                          // uniform over all 64-bit numbers
  uint64_t below(uint64_t bound);           // uniform in [0, bound), unbiased; bound > 0
  double uniform();                         // uniform in [0, 1), 53 bits
  double uniform(double low, double high);  // uniform in [low, high)
  double normal();                          // standard normal (polar method)

  // Fisher-Yates.
  template <typename T>
  void shuffle(std::vector<T>& items) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  uint64_t state_[4];
};

}  // namespace halftone
