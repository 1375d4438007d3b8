#include <cmath>

#include "halftone/quant/step_words.h"
#include "halftone/train/schedule.h"

namespace halftone::train {

// factor^floor(t / every).
Schedule make_step_schedule(StepWords& words) {
  const double every = words.number("every", 30, 1e-3, 1e6), factor = words.number("factor", 0.1, 0, 1);
  return [=](double epoch, double /*epochs*/) { return std::pow(factor, std::floor(epoch / every)); };
}

}  // namespace halftone::train
