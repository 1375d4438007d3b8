#include "halftone/ptq/rounding/squant.h"
#include "halftone/ptq/step.h"

namespace halftone::ptq {

void step_squant(Workbench* bench, StepWords& words) {
  const std::string layers = words.pattern("layers");
  SquantLevels levels;
  levels.kernels = words.flag("kernels", levels.kernels);
  levels.channels = words.flag("channels", levels.channels);
  words.finish();
  if (bench != nullptr) squant(*bench, layers, levels);
}

}  // namespace halftone::ptq
