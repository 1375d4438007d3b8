#include <torch/optim/adam.h>

#include "halftone/train/optimizers/moments.h"

namespace halftone::train {

std::unique_ptr<Optimizer> make_adam_optimizer(StepWords& words, std::vector<Parameter> parameters) {
  using Adam = Moments<torch::optim::Adam, torch::optim::AdamOptions, torch::optim::AdamParamState>;
  return Adam::make(words, 0, std::move(parameters));
}

}  // namespace halftone::train
