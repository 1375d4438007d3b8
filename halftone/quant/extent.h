// The exact extremes of a set of numbers.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

namespace halftone {

struct Extent {
  int64_t count = 0;  // finite numbers
  int64_t zeros = 0;
  float min = std::numeric_limits<float>::infinity();  // of the finite numbers; +-infinity while there is none
  float max = -std::numeric_limits<float>::infinity();
  int64_t not_finite = 0;

  // As if the numbers of `other` had been measured together with these; in any order.
  void merge(const Extent& other);
  // The largest absolute value; 0 while there is none.
  float magnitude() const;
  bool operator==(const Extent&) const = default;
};

// Cost: one vectorized pass.
Extent measure(std::span<const float> values);

}  // namespace halftone
