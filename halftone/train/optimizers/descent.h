// libtorch's optimizers as this room's.
#pragma once

#include <torch/optim/optimizer.h>

#include <memory>
#include <utility>
#include <vector>

#include "halftone/base/error.h"
#include "halftone/train/optimizer.h"

namespace halftone::train {

// Method says which: its Optimizer, Options and State of torch::optim, and
//   Options options() const                        with the rate left open
//   tensors(State&) -> vector<pair<name, tensor>>  what is remembered of a parameter
//   restored(vector<tensor>) -> unique_ptr<State>  the same back, in that order
template <typename Method>
class Descent final : public Optimizer {
 public:
  Descent(const Method& method, double decay, std::vector<Parameter> parameters) : parameters_(std::move(parameters)) {
    // A group each: rates and decays may differ, and a parameter is found by its position.
    std::vector<torch::optim::OptimizerParamGroup> groups;
    for (const Parameter& parameter : parameters_) {
      auto options = std::make_unique<typename Method::Options>(method.options());
      options->weight_decay(parameter.kind == ParameterKind::Weight ? decay : parameter.decay);
      groups.emplace_back(std::vector<at::Tensor>{parameter.tensor}, std::move(options));
    }
    optimizer_ = std::make_unique<typename Method::Optimizer>(std::move(groups), method.options());
  }

  void step(const Rates& rates) override {
    for (size_t i = 0; i < parameters_.size(); ++i) {
      const bool scale = parameters_[i].kind == ParameterKind::Scale;
      optimizer_->param_groups()[i].options().set_lr(scale ? rates.scales : rates.weights);
    }
    optimizer_->step();
    for (Parameter& parameter : parameters_) parameter.tensor.mutable_grad() = at::Tensor();
  }

  std::map<std::string, at::Tensor> state() const override {
    std::map<std::string, at::Tensor> all;
    for (const Parameter& parameter : parameters_) {
      const auto found = optimizer_->state().find(key_of(parameter));
      if (found == optimizer_->state().end()) continue;
      for (auto& [what, tensor] : Method::tensors(static_cast<typename Method::State&>(*found->second))) {
        if (tensor.defined()) all[parameter.name + ":" + what] = tensor.clone();
      }
    }
    return all;
  }

  void restore(const std::map<std::string, at::Tensor>& state) override {
    size_t used = 0;
    for (const Parameter& parameter : parameters_) {
      std::vector<at::Tensor> tensors;
      for (const char* what : Method::kRemembered) {
        const auto found = state.find(parameter.name + ":" + what);
        if (found != state.end()) tensors.push_back(found->second.clone());
      }
      if (tensors.empty()) continue;
      if (tensors.size() != Method::kRemembered.size() || tensors.back().sizes() != parameter.tensor.sizes()) {
        fail(ErrorCode::InvalidData, parameter.name, "the optimizer's state is of another parameter");
      }
      used += tensors.size();
      optimizer_->state()[key_of(parameter)] = Method::restored(std::move(tensors));
    }
    if (used != state.size()) fail(ErrorCode::InvalidData, "optimizer", "the state is of other parameters");
  }

 private:
  static std::string key_of(const Parameter& parameter) {
    return c10::guts::to_string(parameter.tensor.unsafeGetTensorImpl());
  }

  std::vector<Parameter> parameters_;
  std::unique_ptr<typename Method::Optimizer> optimizer_;
};

}  // namespace halftone::train
