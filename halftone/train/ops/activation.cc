// Activations, with the formulas of the ONNX operator pages.
#include <limits>

#include "halftone/train/op.h"

namespace halftone::train::ops {

std::vector<at::Tensor> relu(const OpCall& call) { return {at::relu(call.input(0))}; }

std::vector<at::Tensor> leaky_relu(const OpCall& call) {
  return {at::leaky_relu(call.input(0), call.node.float_or("alpha", 0.01f))};
}

std::vector<at::Tensor> prelu(const OpCall& call) {
  const at::Tensor& x = call.input(0);
  return {at::where(x < 0, x * call.input(1), x)};
}

// Bounds stay constants: what learns a clip's bound is a quantizer.
std::vector<at::Tensor> clip(const OpCall& call) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return {at::clamp(call.input(0), call.number_or(1, -kInfinity), call.number_or(2, kInfinity))};
}

std::vector<at::Tensor> elu(const OpCall& call) { return {at::elu(call.input(0), call.node.float_or("alpha", 1.0f))}; }

// gamma * (x > 0 ? x : alpha * (exp(x) - 1)), which elu computes with its scale.
std::vector<at::Tensor> selu(const OpCall& call) {
  return {at::elu(call.input(0), call.node.float_or("alpha", 1.67326319217681884765625f),
                  call.node.float_or("gamma", 1.05070102214813232421875f))};
}

std::vector<at::Tensor> celu(const OpCall& call) {
  return {at::celu(call.input(0), call.node.float_or("alpha", 1.0f))};
}

std::vector<at::Tensor> gelu(const OpCall& call) {
  return {at::gelu(call.input(0), call.node.string_or("approximate", "none"))};
}

std::vector<at::Tensor> mish(const OpCall& call) { return {at::mish(call.input(0))}; }

std::vector<at::Tensor> swish(const OpCall& call) {
  const at::Tensor& x = call.input(0);
  return {x * at::sigmoid(x * call.node.float_or("alpha", 1.0f))};
}

std::vector<at::Tensor> hard_swish(const OpCall& call) { return {at::hardswish(call.input(0))}; }

std::vector<at::Tensor> hard_sigmoid(const OpCall& call) {
  return {at::clamp(call.input(0) * call.node.float_or("alpha", 0.2f) + call.node.float_or("beta", 0.5f), 0, 1)};
}

std::vector<at::Tensor> sigmoid(const OpCall& call) { return {at::sigmoid(call.input(0))}; }

std::vector<at::Tensor> tanh(const OpCall& call) { return {at::tanh(call.input(0))}; }

std::vector<at::Tensor> softplus(const OpCall& call) { return {at::softplus(call.input(0), 1, 30)}; }

std::vector<at::Tensor> softsign(const OpCall& call) {
  const at::Tensor& x = call.input(0);
  return {x / (1 + at::abs(x))};
}

std::vector<at::Tensor> softmax(const OpCall& call) {
  return {at::softmax(call.input(0), call.node.int_or("axis", -1))};
}

std::vector<at::Tensor> log_softmax(const OpCall& call) {
  return {at::log_softmax(call.input(0), call.node.int_or("axis", -1))};
}

}  // namespace halftone::train::ops
