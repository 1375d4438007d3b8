#include "halftone/train/average.h"

#include <algorithm>

namespace halftone::train {

Average::Average(double momentum, const State& state) : momentum_(momentum) {
  for (const auto& [name, tensor] : state) tensors_[name] = tensor.detach().clone();
}

void Average::update(const State& state) {
  const at::NoGradGuard no_grad;
  const auto t = static_cast<double>(steps_++);
  const double momentum = std::min(momentum_, (1 + t) / (10 + t));
  for (const auto& [name, now] : state) {
    at::Tensor& average = tensors_.at(name);
    if (now.is_floating_point()) {
      average.lerp_(now.detach(), 1 - momentum);
    } else {
      average.copy_(now);
    }
  }
}

void Average::swap(const State& state) {
  const at::NoGradGuard no_grad;
  for (const auto& [name, now] : state) {
    const at::Tensor kept = now.detach().clone();
    at::Tensor(now).copy_(tensors_.at(name));
    tensors_.at(name).copy_(kept);
  }
}

}  // namespace halftone::train
