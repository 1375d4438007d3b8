// A slice's numbers, few enough to be looked at many times.
#pragma once

#include <span>
#include <vector>

namespace halftone {

// Distinct numbers, ascending, and how many elements each stands for.
struct Points {
  static constexpr size_t kMost = 2048;
  std::vector<double> x, weight;
  // Whether the points are the elements themselves; otherwise each is the mean of those in one of kMost intervals of
  // equal width.
  bool exact = true;

  size_t size() const { return x.size(); }
};

Points points_of(std::span<const float> values);

}  // namespace halftone
