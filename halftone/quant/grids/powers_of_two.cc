#include <cmath>

#include "halftone/quant/grids/level_lists.h"

namespace halftone {

// A sign and 2^(bits - 1) - 1 magnitudes: scale * 2^-k, k = 0, 1 ... 2^(bits - 1) - 2.
void append_powers_of_two(const QuantSpec& spec, const Slice& slice, QuantParams& params) {
  std::vector<float> magnitudes;
  for (int k = (1 << (spec.bits - 1)) - 2; k >= 0; --k) magnitudes.push_back(std::ldexp(1.0F, -k));
  append_shared_levels(magnitudes, scale_of_levels(magnitudes, slice), params);
}

}  // namespace halftone
