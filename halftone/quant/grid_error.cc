#include "halftone/quant/grid_error.h"

#include <algorithm>
#include <cmath>

namespace halftone {

GridError::GridError(const QuantSpec& spec, const std::vector<Mass>& masses) : spec_(spec) {
  spec_.granularity = Granularity::PerTensor;
  spec_.grid = QuantSpec().grid;
  for (const Mass& mass : masses) {
    if (mass.low == mass.high) {
      points_.push_back(mass.low);
      counts_.push_back(mass.count);
      continue;
    }
    if (edges_.empty() || edges_.back() != mass.low) {
      if (!edges_.empty()) densities_.push_back(0);
      edges_.push_back(mass.low);
    }
    edges_.push_back(mass.high);
    densities_.push_back(mass.count / (mass.high - mass.low));
  }
  integrals_.resize(edges_.size());
}

double GridError::operator()(const Range& range) const {
  const QuantParams params = choose_params(spec_, {range.low}, {range.high});
  const double step = params.scale[0], inverse = 1 / step;
  const auto first = static_cast<double>(params.q_min - params.zero_point[0]);
  const auto last = static_cast<double>(params.q_max - params.zero_point[0]);
  const auto nearest = [&](double t) {
    const double n = std::nearbyint(t);
    return n < first ? first : n > last ? last : n;
  };
  for (size_t i = 0; i < edges_.size(); ++i) {
    const double t = edges_[i] * inverse, n = nearest(t), rest = t - n;
    integrals_[i] = n * (1.0 / 12) + rest * rest * rest * (1.0 / 3);
  }
  double spread = 0;
  for (size_t i = 0; i < densities_.size(); ++i) spread += densities_[i] * (integrals_[i + 1] - integrals_[i]);
  double pointed = 0;
  for (size_t i = 0; i < points_.size(); ++i) {
    const double t = points_[i] * inverse, rest = t - nearest(t);
    pointed += counts_[i] * rest * rest;
  }
  return step * step * (step * spread + pointed);
}

double GridError::clipping(const Range& range) const {
  const double low = range.low, high = range.high;
  double sum = 0;
  for (size_t i = 0; i < densities_.size(); ++i) {
    // Of density * integral of d^2, d the distance to the range, over what lies outside of it.
    const double a = edges_[i], b = edges_[i + 1];
    if (b > high) {
      const double far = b - high, near = std::max(a - high, 0.0);
      sum += densities_[i] * (far * far * far - near * near * near) / 3;
    }
    if (a < low) {
      const double far = low - a, near = std::max(low - b, 0.0);
      sum += densities_[i] * (far * far * far - near * near * near) / 3;
    }
  }
  for (size_t i = 0; i < points_.size(); ++i) {
    const double outside = std::max({points_[i] - high, low - points_[i], 0.0});
    sum += counts_[i] * outside * outside;
  }
  return sum;
}

}  // namespace halftone
