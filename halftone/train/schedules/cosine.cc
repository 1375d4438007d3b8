#include <cmath>
#include <numbers>

#include "halftone/quant/step_words.h"
#include "halftone/train/schedule.h"

namespace halftone::train {

// floor + (1 - floor) (1 + cos(pi t / T)) / 2.
Schedule make_cosine_schedule(StepWords& words) {
  const double floor = words.number("floor", 0, 0, 1);
  return [=](double epoch, double epochs) {
    return floor + (1 - floor) * 0.5 * (1 + std::cos(std::numbers::pi * epoch / epochs));
  };
}

}  // namespace halftone::train
