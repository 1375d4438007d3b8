// Arithmetic of elements, broadcast as ONNX and libtorch both do.
#include "halftone/train/op.h"

namespace halftone::train::ops {
namespace {

template <typename F>
std::vector<at::Tensor> folded(const OpCall& call, F function) {
  at::Tensor result = call.input(0);
  for (size_t i = 1; i < call.inputs.size(); ++i) result = function(result, call.input(i));
  return {result};
}

}  // namespace

std::vector<at::Tensor> add(const OpCall& call) { return {call.input(0) + call.input(1)}; }
std::vector<at::Tensor> sub(const OpCall& call) { return {call.input(0) - call.input(1)}; }
std::vector<at::Tensor> mul(const OpCall& call) { return {call.input(0) * call.input(1)}; }

// Integers divide with truncation.
std::vector<at::Tensor> div(const OpCall& call) {
  if (!call.input(0).is_floating_point()) return {at::div(call.input(0), call.input(1), "trunc")};
  return {call.input(0) / call.input(1)};
}

std::vector<at::Tensor> pow(const OpCall& call) { return {at::pow(call.input(0), call.input(1))}; }

std::vector<at::Tensor> min(const OpCall& call) {
  return folded(call, [](const at::Tensor& a, const at::Tensor& b) { return at::minimum(a, b); });
}
std::vector<at::Tensor> max(const OpCall& call) {
  return folded(call, [](const at::Tensor& a, const at::Tensor& b) { return at::maximum(a, b); });
}
std::vector<at::Tensor> sum(const OpCall& call) {
  return folded(call, [](const at::Tensor& a, const at::Tensor& b) { return a + b; });
}
std::vector<at::Tensor> mean(const OpCall& call) {
  return {sum(call).front() / static_cast<double>(call.inputs.size())};
}

std::vector<at::Tensor> where(const OpCall& call) {
  return {at::where(call.input(0).to(at::kBool), call.input(1), call.input(2))};
}

std::vector<at::Tensor> abs(const OpCall& call) { return {at::abs(call.input(0))}; }
std::vector<at::Tensor> neg(const OpCall& call) { return {at::neg(call.input(0))}; }
std::vector<at::Tensor> sqrt(const OpCall& call) { return {at::sqrt(call.input(0))}; }
std::vector<at::Tensor> reciprocal(const OpCall& call) { return {at::reciprocal(call.input(0))}; }
std::vector<at::Tensor> exp(const OpCall& call) { return {at::exp(call.input(0))}; }
std::vector<at::Tensor> log(const OpCall& call) { return {at::log(call.input(0))}; }
std::vector<at::Tensor> erf(const OpCall& call) { return {at::erf(call.input(0))}; }
std::vector<at::Tensor> sin(const OpCall& call) { return {at::sin(call.input(0))}; }
std::vector<at::Tensor> cos(const OpCall& call) { return {at::cos(call.input(0))}; }

}  // namespace halftone::train::ops
