// Mean and variance of groups of elements, for the normalizing operators.
#pragma once

#include <cmath>
#include <span>
#include <vector>

#include "halftone/sim/interpreter.h"

namespace halftone::sim::ops {

struct Moments {
  std::vector<double> mean;
  std::vector<double> variance;  // of the population: divided by the count
};

// group_of(i) is the group of element i, below `groups`. Two passes; sums run in double, in ascending order.
template <typename T, typename F>
Moments moments_of(std::span<const T> x, int64_t groups, F group_of) {
  const auto count = static_cast<size_t>(groups);
  Moments moments{std::vector<double>(count, 0.0), std::vector<double>(count, 0.0)};
  std::vector<double> members(count, 0.0);
  for (size_t i = 0; i < x.size(); ++i) {
    const auto group = static_cast<size_t>(group_of(static_cast<int64_t>(i)));
    moments.mean[group] += static_cast<double>(x[i]);
    members[group] += 1;
  }
  for (size_t g = 0; g < count; ++g) moments.mean[g] /= members[g];
  for (size_t i = 0; i < x.size(); ++i) {
    const auto group = static_cast<size_t>(group_of(static_cast<int64_t>(i)));
    const double distance = static_cast<double>(x[i]) - moments.mean[group];
    moments.variance[group] += distance * distance;
  }
  for (size_t g = 0; g < count; ++g) moments.variance[g] /= members[g];
  return moments;
}

}  // namespace halftone::sim::ops
