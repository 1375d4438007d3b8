// How many bits each channel of a tensor gets when the tensor has so many to spend.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace halftone::ptq {

struct BitBudget {
  double mean = 8;          // bits per channel
  int least = 1, most = 8;  // for every channel that has any
};

// Bits for channels whose numbers spread over ranges of the given widths (all >= 0):
//
//   M_i = log2(width_i^(2/3)) + t,   held to [least, most] and rounded,   with t such that the bits add up to
//   round(mean * channels)
//
// which is the least sum of squared rounding errors width_i^2 / 4^(M_i) for a given number of codes in all: codes go to
// channels as width^(2/3). What rounding leaves goes to the channels that it took most from, the first of equals.
// Channels of width 0 need no bits and get none; their share goes to the others. When the bounds don't allow the sum,
// the bits are all `least` or all `most`. Errors: InternalError for bounds or widths that are none. Cost: O(channels
// log channels). Source: Banner et al. 2019, arXiv 1810.05723, section 4.1, equations 10 and 11, with the bounds and
// the goal for the mean of its published code.
std::vector<int> allocate_bits(std::span<const double> widths, const BitBudget& budget);

}  // namespace halftone::ptq
