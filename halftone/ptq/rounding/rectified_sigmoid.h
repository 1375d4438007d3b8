// AdaRound's soft choice between two neighbours, and how it is made to decide.
// Source: Nagel et al. 2020, equations 23 and 24, and section 5.
#pragma once

#include <algorithm>
#include <cmath>

namespace halftone::ptq {

constexpr double kStretch = 1.2, kShift = -0.1;  // the paper's zeta - gamma and gamma

inline double sigmoid(double v) { return 1 / (1 + std::exp(-v)); }

// h(v) = clamp(1.2 sigmoid(v) - 0.1, 0, 1): 0 is the lower neighbour, 1 the upper one.
inline double rectified_sigmoid(double v) { return std::clamp(kStretch * sigmoid(v) + kShift, 0.0, 1.0); }

// The v with that h, 0 < h < 1.
inline double inverse_rectified_sigmoid(double h) {
  const double share = (h - kShift) / kStretch;
  return std::log(share / (1 - share));
}

// The exponent of the penalty 1 - |2 h - 1|^beta after this part of the iterations: 20 at first, 2 in the end. During
// the first fifth (kWarmUp) there is no penalty.
constexpr double kWarmUp = 0.2;
inline double penalty_exponent(double progress) {
  constexpr double kFirst = 20, kLast = 2;
  return kFirst + (kLast - kFirst) * std::max(0.0, (progress - kWarmUp) / (1 - kWarmUp));
}

}  // namespace halftone::ptq
