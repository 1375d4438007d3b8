// The squared error that a grid would make, from what is known of the numbers' distribution.
#pragma once

#include <vector>

#include "halftone/quant/observer.h"
#include "halftone/quant/tally.h"

namespace halftone {

// Within a mass, x has even density; on a grid of step s, with n the code nearest to t = x / s among those there are,
//   integral of (x - s n)^2 dx = s^3 G(t),   G(t) = n / 12 + (t - n)^3 / 3,
// which is continuous from code to code and beyond the last ones, where n stays and the cube grows. So the error of a
// mass is a difference of two values of G: exact for the density, whatever the ratio of step to width.
class GridError {
 public:
  // For grids of `spec`, which is taken as affine and with one scale.
  GridError(const QuantSpec& spec, const std::vector<Mass>& masses);

  // Sum of the squared errors of all numbers on the very grid that choose_params lays over the range. Cost: about 2 ns
  // per mass.
  double operator()(const Range& range) const;

  // The part of it that comes from numbers outside the range. No narrower range has a smaller sum of errors.
  double clipping(const Range& range) const;

 private:
  QuantSpec spec_;
  // Stretches between neighbouring edges, with the numbers per unit of length; 0 where there is nothing.
  std::vector<double> edges_, densities_;
  std::vector<double> points_, counts_;
  mutable std::vector<double> integrals_;  // at the edges; kept to save allocations
};

}  // namespace halftone
