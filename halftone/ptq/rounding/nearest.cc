#include "halftone/ptq/rounding/method.h"

namespace halftone::ptq {

void round_nearest(const RoundingTask& task, std::span<int32_t> steps) {
  for (size_t i = 0; i < steps.size(); ++i) {
    steps[i] = nearest_step(task.best[i], task.scale[i], task.low[i], task.high[i]);
  }
}

}  // namespace halftone::ptq
