#include "halftone/ptq/step.h"
#include "halftone/ptq/weights/correct.h"

namespace halftone::ptq {

void step_correct_weights(Workbench* bench, StepWords& words) {
  const std::string layers = words.pattern("layers");
  const int64_t images = words.count("images", 128, 1, INT32_MAX);
  words.finish();
  if (bench != nullptr) correct_weights(*bench, layers, images);
}

}  // namespace halftone::ptq
