#include "halftone/ptq/rounding/layer_objective.h"

namespace halftone::ptq {

void aim(const Quadratic& quadratic, const std::vector<double>& products, int64_t channels, int64_t channel,
         ChannelWeights& weights) {
  std::vector<double> shift(weights.real.size());
  quadratic.multiply(weights.real, shift);
  for (size_t i = 0; i < shift.size(); ++i) {
    const double product = products[i * static_cast<size_t>(channels) + static_cast<size_t>(channel)];
    shift[i] = product - (shift[i] - quadratic.added() * weights.real[i]);
  }
  quadratic.solve(shift);
  for (size_t i = 0; i < shift.size(); ++i) weights.best[i] = weights.real[i] + shift[i];
}

}  // namespace halftone::ptq
