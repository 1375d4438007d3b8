#include <torch/optim/sgd.h>

#include <array>

#include "halftone/quant/step_words.h"
#include "halftone/train/optimizers/descent.h"

namespace halftone::train {
namespace {

struct Sgd {
  using Optimizer = torch::optim::SGD;
  using Options = torch::optim::SGDOptions;
  using State = torch::optim::SGDParamState;
  static constexpr std::array kRemembered = {"momentum"};
  double momentum;
  bool nesterov;

  Options options() const { return Options(0).momentum(momentum).nesterov(nesterov); }
  static std::vector<std::pair<const char*, at::Tensor>> tensors(State& state) {
    return {{kRemembered[0], state.momentum_buffer()}};
  }
  static std::unique_ptr<State> restored(std::vector<at::Tensor> tensors) {
    auto state = std::make_unique<State>();
    state->momentum_buffer(tensors[0]);
    return state;
  }
};

}  // namespace

std::unique_ptr<Optimizer> make_sgd_optimizer(StepWords& words, std::vector<Parameter> parameters) {
  const double momentum = words.number("momentum", 0.9, 0, 1), decay = words.number("decay", 1e-4, 0, 1);
  const bool nesterov = words.flag("nesterov", momentum > 0);
  if (nesterov && momentum == 0) fail(ErrorCode::InvalidArgument, "optimizer", "nesterov requires momentum above 0");
  return std::make_unique<Descent<Sgd>>(Sgd{momentum, nesterov}, decay, std::move(parameters));
}

}  // namespace halftone::train
