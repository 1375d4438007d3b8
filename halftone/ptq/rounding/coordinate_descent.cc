// Coordinate descent. With the gradient g = Q (w - w*), moving coordinate i by d changes E by d (2 g(i) + d Q(i, i)),
// which is least at d = -g(i) / Q(i, i): the best step is the nearest one to that point, and g follows a move with one
// row of Q. Where no single move helps, two together may: by d and e, 2 d e Q(i, j) more.
#include <cmath>
#include <vector>

#include "halftone/ptq/rounding/method.h"

namespace halftone::ptq {

void round_gptq(const RoundingTask& task, std::span<int32_t> steps);

namespace {

class WeightDescent {
 public:
  WeightDescent(const RoundingTask& task, std::span<int32_t> steps)
      : task_(task), steps_(steps), gradient_(steps.size()), own_(steps.size()), changes_(steps.size()) {
    std::vector<double> d(steps.size());
    for (size_t i = 0; i < d.size(); ++i) {
      d[i] = task.scale[i] * steps[i] - task.best[i];
      own_[i] = row(i)[i];
    }
    task.error.multiply(d, gradient_);
  }

  // Every coordinate to its best place, one after the other. False when all are there.
  bool sweep() {
    bool moved = false;
    for (size_t i = 0; i < steps_.size(); ++i) {
      const double own = own_[i];
      const double place = task_.scale[i] * steps_[i] - gradient_[i] / own;
      const int32_t best = nearest_step(place, task_.scale[i], task_.low[i], task_.high[i]);
      if (best == steps_[i]) continue;
      const double d = task_.scale[i] * (best - steps_[i]);
      // A tie, or a difference that is rounding error, is no reason to move: sweeps must come to an end.
      if (d * (2 * gradient_[i] + d * own) >= -1e-12 * d * d * own) continue;
      move(i, best - steps_[i]);
      moved = true;
    }
    return moved;
  }

  // The best pair for every coordinate, if it is downhill. False when there was none.
  bool sweep_pairs() {
    bool moved = false;
    for (size_t i = 0; i < steps_.size(); ++i) {
      for (const int32_t way : {-1, 1}) {
        if (steps_[i] + way < task_.low[i] || steps_[i] + way > task_.high[i]) continue;
        moved |= try_pair(i, way);
      }
    }
    return moved;
  }

 private:
  const double* row(size_t i) const { return task_.error.row(static_cast<int64_t>(i)).data(); }

  void move(size_t i, int32_t by) {
    steps_[i] += by;
    const double d = task_.scale[i] * by;
    const double* q = row(i);
    for (size_t j = 0; j < gradient_.size(); ++j) gradient_[j] += d * q[j];
  }

  bool try_pair(size_t i, int32_t way) {
    const double d = task_.scale[i] * way;
    const double* q = row(i);
    const double alone = d * (2 * gradient_[i] + d * q[i]);
    for (size_t j = 0; j < steps_.size(); ++j) {
      const double e = task_.scale[j];
      changes_[j] = alone + e * (e * own_[j] - 2 * std::abs(gradient_[j] + d * q[j]));
    }
    double least = -1e-9 * d * d * q[i];
    size_t partner = i;
    int32_t partner_way = 0;
    for (size_t j = 0; j < steps_.size(); ++j) {
      if (changes_[j] >= least || j == i) continue;
      const int32_t back = gradient_[j] + d * q[j] > 0 ? -1 : 1;
      if (steps_[j] + back < task_.low[j] || steps_[j] + back > task_.high[j]) continue;
      least = changes_[j];
      partner = j;
      partner_way = back;
    }
    if (partner == i) return false;
    move(i, way);
    move(partner, partner_way);
    return true;
  }

  const RoundingTask& task_;
  std::span<int32_t> steps_;
  std::vector<double> gradient_, own_, changes_;  // own_: Q(i, i)
};

}  // namespace

void descend(const RoundingTask& task, std::span<int32_t> steps) {
  WeightDescent descent(task, steps);
  for (int64_t i = 0; i < task.iterations; ++i) {
    if (descent.sweep()) continue;
    if (!task.pairs || !descent.sweep_pairs()) return;
  }
}

void round_coordinate_descent(const RoundingTask& task, std::span<int32_t> steps) {
  round_gptq(task, steps);
  descend(task, steps);
}

}  // namespace halftone::ptq
