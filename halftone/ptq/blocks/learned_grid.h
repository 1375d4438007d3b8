// Rounding of activations whose scale is learned (LSQ), dropped at random while learning (QDrop).
#pragma once

#include <cstdint>
#include <span>

#include "halftone/quant/quant_params.h"

namespace halftone::ptq {

// y = s (clamp(round(x / s) + z, low, high) - z), one scale for all.
struct LearnedGrid {
  float scale = 1;
  int32_t zero_point = 0;
  int32_t low = 0, high = 255;

  static LearnedGrid of(const QuantParams& params);
};

// Which elements stay real: one random bit per element, 64 to a word; empty: none. (Wei et al. 2022, QDrop: half.)
using DropMask = std::span<const uint64_t>;

void round_to(const LearnedGrid& grid, std::span<const float> x, DropMask dropped, std::span<float> y);

// From the loss's slope by y to that by x, in place, and by the scale, which is returned (Esser et al. 2020, LSQ,
// arXiv 1902.08153, rounding taken for the identity):
//   dy/dx = 1 inside the grid, 0 beyond it;   dy/ds = (y - x) / s inside, y / s beyond;   1 and 0 where dropped.
double slope_through(const LearnedGrid& grid, std::span<const float> x, DropMask dropped, std::span<float> slope);

}  // namespace halftone::ptq
