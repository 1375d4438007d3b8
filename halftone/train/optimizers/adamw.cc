#include <torch/optim/adamw.h>

#include "halftone/train/optimizers/moments.h"

namespace halftone::train {

std::unique_ptr<Optimizer> make_adamw_optimizer(StepWords& words, std::vector<Parameter> parameters) {
  using AdamW = Moments<torch::optim::AdamW, torch::optim::AdamWOptions, torch::optim::AdamWParamState>;
  return AdamW::make(words, 0.01, std::move(parameters));
}

}  // namespace halftone::train
