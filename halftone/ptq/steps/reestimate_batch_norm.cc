#include "halftone/ptq/step.h"
#include "halftone/ptq/weights/correct.h"

namespace halftone::ptq {

void step_reestimate_batch_norm(Workbench* bench, StepWords& words) {
  const std::string layers = words.pattern("layers");
  const int64_t images = words.count("images", 128, 1, INT32_MAX);
  words.finish();
  if (bench != nullptr) reestimate_batch_norm(*bench, layers, images);
}

}  // namespace halftone::ptq
