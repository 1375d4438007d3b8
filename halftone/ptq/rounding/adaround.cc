// AdaRound: w = s * clamp(floor(w* / s) + h(v), low, high) with the rectified sigmoid h(v) = clamp(1.2 sigmoid(v) -
// 0.1, 0, 1); Adam minimizes E(w) + lambda * sum of (1 - |2 h - 1|^beta), whose beta falls from 20 to 2 after a fifth
// of the iterations without it, so that h is pushed to 0 or 1 by and by. In the end v >= 0 rounds up.
#include <algorithm>
#include <cmath>
#include <vector>

#include "halftone/ptq/rounding/method.h"
#include "halftone/ptq/rounding/rectified_sigmoid.h"

namespace halftone::ptq {
namespace {

// The paper's 0.01 goes with losses that are far below one per weight. With beta = 2 the penalty's second derivative is
// -8 lambda, that of a weight's own share of the loss 24: from lambda = 3 on every h has to decide. Much less leaves
// most of them in between, where the last line's rounding undoes what was learned; more hardly changes anything.
constexpr double kLambda = 3;
// Adam moves v by the rate at most: together as far in few iterations as the paper's 0.001 in 10000.
constexpr double kTravel = 10, kDecay1 = 0.9, kDecay2 = 0.999;

}  // namespace

void round_adaround(const RoundingTask& task, std::span<int32_t> steps) {
  const size_t size = steps.size();
  std::vector<double> base(size), v(size), d(size), gradient(size), mean(size, 0.0), square(size, 0.0);
  // The loss is measured in units of what nearest rounding costs, so that lambda means the same in every layer.
  double unit = 0;
  for (size_t i = 0; i < size; ++i) {
    const double ratio =
        std::clamp(task.best[i] / task.scale[i], static_cast<double>(task.low[i]), static_cast<double>(task.high[i]));
    base[i] = std::min(std::floor(ratio), static_cast<double>(task.high[i]) - 1);
    if (task.high[i] == task.low[i]) base[i] = task.low[i];
    const double h = std::clamp(ratio - base[i], 0.01, 0.99);
    v[i] = inverse_rectified_sigmoid(h);
    unit += task.scale[i] * task.scale[i] * task.error.row(static_cast<int64_t>(i))[i] / 12;
  }
  const double weight = static_cast<double>(size) / unit;
  const double rate = kTravel / static_cast<double>(task.iterations);
  for (int64_t iteration = 0; iteration < task.iterations; ++iteration) {
    const double progress = static_cast<double>(iteration) / static_cast<double>(task.iterations);
    const bool warm = progress < kWarmUp;
    const double beta = penalty_exponent(progress);
    for (size_t i = 0; i < size; ++i) {
      const double step = std::clamp(base[i] + rectified_sigmoid(v[i]), static_cast<double>(task.low[i]),
                                     static_cast<double>(task.high[i]));
      d[i] = task.scale[i] * step - task.best[i];
    }
    task.error.multiply(d, gradient);
    for (size_t i = 0; i < size; ++i) {
      const double h = rectified_sigmoid(v[i]), share = sigmoid(v[i]);
      double slope = 2 * weight * gradient[i] * task.scale[i];
      if (!warm) {
        const double side = 2 * h - 1;
        slope -= kLambda * 2 * beta * std::copysign(std::pow(std::abs(side), beta - 1), side);
      }
      // Where the sigmoid is cut off its slope is kept, so that a decision can still be taken back.
      slope *= kStretch * share * (1 - share);
      mean[i] = kDecay1 * mean[i] + (1 - kDecay1) * slope;
      square[i] = kDecay2 * square[i] + (1 - kDecay2) * slope * slope;
      const double count = static_cast<double>(iteration + 1);
      const double m = mean[i] / (1 - std::pow(kDecay1, count)), s = square[i] / (1 - std::pow(kDecay2, count));
      v[i] -= rate * m / (std::sqrt(s) + 1e-8);
    }
  }
  for (size_t i = 0; i < size; ++i) {
    const double step = base[i] + (v[i] >= 0 ? 1 : 0);
    steps[i] =
        static_cast<int32_t>(std::clamp(step, static_cast<double>(task.low[i]), static_cast<double>(task.high[i])));
  }
}

}  // namespace halftone::ptq
