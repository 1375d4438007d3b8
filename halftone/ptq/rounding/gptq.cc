// GPTQ: weights are rounded one after the other, each time the best real values of those still free are found again. In
// terms of Q = C C^T that is Babai's nearest plane: from the last coordinate on,
//   u(i) = w*(i) - 1 / C(i, i) * sum over j > i of C(j, i) (w(j) - w*(j)),    w(i) = nearest grid point to u(i)
#include <vector>

#include "halftone/ptq/rounding/method.h"

namespace halftone::ptq {

void round_gptq(const RoundingTask& task, std::span<int32_t> steps) {
  std::vector<double> pull(steps.size(), 0.0);  // the sums over j so far
  for (size_t i = steps.size(); i-- > 0;) {
    const std::span<const double> row = task.error.factor_row(static_cast<int64_t>(i));
    steps[i] = nearest_step(task.best[i] - pull[i] / row[i], task.scale[i], task.low[i], task.high[i]);
    const double error = task.scale[i] * steps[i] - task.best[i];
    for (size_t j = 0; j < i; ++j) pull[j] += row[j] * error;
  }
}

}  // namespace halftone::ptq
