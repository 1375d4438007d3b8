#include <cmath>
#include <numbers>

#include "halftone/quant/step_words.h"
#include "halftone/train/schedule.h"

namespace halftone::train {

// From `start` to 1 in the first `rise` of the training, then down to `floor`.
Schedule make_one_cycle_schedule(StepWords& words) {
  const double rise = words.number("rise", 0.3, 0, 1), start = words.number("start", 0.04, 0, 1);
  const double floor = words.number("floor", 1e-4, 0, 1);
  return [=](double epoch, double epochs) {
    const auto between = [](double from, double to, double share) {
      return to + (from - to) * 0.5 * (1 + std::cos(std::numbers::pi * share));
    };
    const double done = epoch / epochs;
    return done < rise ? between(start, 1, done / rise) : between(1, floor, rise < 1 ? (done - rise) / (1 - rise) : 0);
  };
}

}  // namespace halftone::train
