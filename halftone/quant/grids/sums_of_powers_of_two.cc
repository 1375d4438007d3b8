#include <algorithm>
#include <cmath>

#include "halftone/quant/grids/level_lists.h"

namespace halftone {
namespace {

// The magnitude bits choose two powers of two, or 0 instead of one: half of the bits the first, half the second. The
// exponents are dealt to the two in turn, so that no two sums are equal. With an odd number of bits the first has one
// more, hence twice as many powers and one: the second gets every third exponent from the third on.
std::vector<float> magnitudes_of(int bits) {
  const int first_bits = (bits + 1) / 2, second_bits = bits / 2;
  const int powers = (1 << first_bits) + (1 << second_bits) - 2;
  std::vector<double> first = {0}, second = {0};
  for (int k = 0; k < powers; ++k) {
    const bool to_second = first_bits == second_bits ? k % 2 == 1 : k % 3 == 2;
    (to_second ? second : first).push_back(std::ldexp(1.0, -k));
  }
  std::vector<double> sums;
  for (double a : first) {
    for (double b : second) sums.push_back(a + b);
  }
  std::sort(sums.begin(), sums.end());
  std::vector<float> magnitudes;
  for (size_t i = 1; i < sums.size(); ++i) magnitudes.push_back(static_cast<float>(sums[i] / sums.back()));
  return magnitudes;
}

}  // namespace

void append_sums_of_powers_of_two(const QuantSpec& spec, const Slice& slice, QuantParams& params) {
  const std::vector<float> magnitudes = magnitudes_of(spec.bits - 1);
  append_shared_levels(magnitudes, scale_of_levels(magnitudes, slice), params);
}

}  // namespace halftone
