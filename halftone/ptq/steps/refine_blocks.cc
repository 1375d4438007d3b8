#include "halftone/ptq/blocks/refine.h"
#include "halftone/ptq/step.h"

namespace halftone::ptq {

void step_refine_blocks(Workbench* bench, StepWords& words) {
  RefineOptions options;
  options.images = words.count("images", options.images, 1, INT32_MAX);
  options.iterations = words.count("iterations", options.iterations, 1, INT32_MAX);
  options.batch = words.count("batch", options.batch, 1, INT32_MAX);
  options.rate = words.number("rate", options.rate, 1e-6, 1);
  options.push = words.number("push", options.push, 0, 1e3);
  options.drop = words.flag("drop", options.drop);
  options.biases = words.flag("biases", options.biases);
  options.weights = words.flag("weights", options.weights);
  options.seed = static_cast<uint64_t>(words.count("seed", 0, 0, INT64_MAX));
  words.finish();
  if (bench != nullptr) refine_blocks(*bench, options);
}

}  // namespace halftone::ptq
