// Grids that are not evenly spaced. Internal to quantizing.
#pragma once

#include <span>

#include "halftone/quant/quant_params.h"

namespace halftone {

// The numbers of one scale: scale * level, rounded to float32. A number becomes the nearest of them; halfway between
// two it becomes the one nearer to zero, and the upper one where zero is in the middle, so that rounding is symmetric
// and a sign has a definite value at 0. NaN becomes what 0 becomes.
class Levels {
 public:
  Levels(float scale, std::span<const float> levels) : scale_(scale), levels_(levels) {}

  size_t count() const { return levels_.size(); }
  float number(size_t code) const { return scale_ * levels_[code]; }
  // The code of the number that x becomes. Cost: log2(count) steps.
  size_t nearest(float x) const {
    const double real = x == x ? double{x} : 0.0;
    size_t low = 0, high = levels_.size() - 1;
    while (low < high) {
      const size_t k = (low + high) / 2;
      const double middle = (double{number(k)} + double{number(k + 1)}) / 2;
      const bool above = real > middle || (real == middle && middle <= 0);
      low = above ? k + 1 : low;
      high = above ? high : k;
    }
    return low;
  }

 private:
  float scale_;
  std::span<const float> levels_;
};

// Those of scale `index`. Errors: Error{InvalidArgument} when the levels are no list per scale, or one for all.
Levels levels_of(const QuantParams& params, size_t index);

}  // namespace halftone
