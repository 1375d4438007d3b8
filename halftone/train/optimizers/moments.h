// What Adam and AdamW have in common: means of gradients and of their squares.
#pragma once

#include <array>

#include "halftone/quant/step_words.h"
#include "halftone/train/optimizers/descent.h"

namespace halftone::train {

template <typename TorchOptimizer, typename TorchOptions, typename TorchState>
struct Moments {
  using Optimizer = TorchOptimizer;
  using Options = TorchOptions;
  using State = TorchState;
  static constexpr std::array kRemembered = {"steps", "mean", "square"};
  double beta1, beta2, epsilon;

  Options options() const { return Options(0).betas({beta1, beta2}).eps(epsilon); }
  static std::vector<std::pair<const char*, at::Tensor>> tensors(State& state) {
    return {{kRemembered[0], at::full({1}, state.step(), at::kLong)},
            {kRemembered[1], state.exp_avg()},
            {kRemembered[2], state.exp_avg_sq()}};
  }
  static std::unique_ptr<State> restored(std::vector<at::Tensor> tensors) {
    auto state = std::make_unique<State>();
    state->step(tensors[0].template item<int64_t>());
    state->exp_avg(tensors[1]);
    state->exp_avg_sq(tensors[2]);
    return state;
  }

  // Words beta1, beta2, epsilon and decay.
  static std::unique_ptr<train::Optimizer> make(StepWords& words, double usual_decay,
                                                std::vector<Parameter> parameters) {
    const Moments moments{words.number("beta1", 0.9, 0, 0.99999), words.number("beta2", 0.999, 0, 0.9999999),
                          words.number("epsilon", 1e-8, 1e-30, 1)};
    const double decay = words.number("decay", usual_decay, 0, 1);
    return std::make_unique<Descent<Moments>>(moments, decay, std::move(parameters));
  }
};

}  // namespace halftone::train
