// How parameters move by their gradients.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halftone/quant/step_request.h"
#include "halftone/train/parameters.h"
#include "halftone/train/recipe.h"

namespace halftone::train {

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // Moves every parameter that has a gradient, and forgets the gradients.
  virtual void step(const Rates& rates) = 0;
  // What it remembers of the steps before, "parameter:what"; copies.
  virtual std::map<std::string, at::Tensor> state() const = 0;
  // Goes on from there. Errors: Error{InvalidData} for tensors of other parameters or sizes.
  virtual void restore(const std::map<std::string, at::Tensor>& state) = 0;
};

struct OptimizerInfo {
  std::string_view name, summary, source;
};
// The lines of optimizers.def.
std::span<const OptimizerInfo> all_optimizers();

// The rate of scales is that of Rates::scales, that of all others Rates::weights. Weights decay by the optimizer's word
// "decay", other parameters by their own alone. Errors: Error{InvalidArgument} for an unknown name or word, with the
// nearest known one.
std::unique_ptr<Optimizer> make_optimizer(const StepRequest& request, std::vector<Parameter> parameters);

}  // namespace halftone::train
