// Activations: functions of one element, with the formulas of the ONNX operator pages.
#include <cmath>
#include <numbers>

#include "halftone/sim/ops.h"
#include "halftone/sim/ops/arithmetic.h"
#include "halftone/sim/ops/typed_operands.h"

namespace halftone::sim::ops {
namespace {

// y[i] = function(x[i], parameters...), all in the operand's type. The parameters are the node's float attributes.
template <typename F, typename... Parameters>
std::vector<Tensor> apply(const OpCall& call, F function, Parameters... parameters) {
  return in_floating(call, [&]<typename T>(const OpCall& c) -> std::vector<Tensor> {
    return {map<T>(c.input(0), [&](T x) { return static_cast<T>(function(x, static_cast<T>(parameters)...)); })};
  });
}

// 1 / (1 + exp(-x)), without the overflow that exp(-x) has far below zero.
template <typename T>
T logistic(T x) {
  if (x >= T{0}) return T{1} / (T{1} + std::exp(-x));
  const T e = std::exp(x);
  return e / (T{1} + e);
}

// log(1 + exp(x)), which is x far above zero, where exp(x) overflows.
template <typename T>
T log_one_plus_exp(T x) {
  return std::max(x, T{0}) + std::log1p(std::exp(-std::abs(x)));
}

// clamp(alpha * x + beta, 0, 1); NaN stays NaN.
template <typename T>
T hard_logistic(T x, T alpha, T beta) {
  return smaller(larger(alpha * x + beta, T{0}), T{1});
}

}  // namespace

std::vector<Tensor> relu(const OpCall& call) {
  return in_numeric(call, []<typename T>(const OpCall& c) -> std::vector<Tensor> {
    return {map<T>(c.input(0), [](T x) { return larger(x, T{0}); })};
  });
}

std::vector<Tensor> leaky_relu(const OpCall& call) {
  return apply(
      call, [](auto x, auto alpha) { return x < 0 ? alpha * x : x; }, call.node.float_or("alpha", 0.01f));
}

std::vector<Tensor> thresholded_relu(const OpCall& call) {
  return apply(
      call, [](auto x, auto alpha) { return x <= alpha ? decltype(x){0} : x; }, call.node.float_or("alpha", 1.0f));
}

std::vector<Tensor> elu(const OpCall& call) {
  return apply(
      call, [](auto x, auto alpha) { return x < 0 ? alpha * std::expm1(x) : x; }, call.node.float_or("alpha", 1.0f));
}

std::vector<Tensor> selu(const OpCall& call) {
  return apply(
      call, [](auto x, auto alpha, auto gamma) { return gamma * (x > 0 ? x : alpha * std::expm1(x)); },
      call.node.float_or("alpha", 1.67326319217681884765625f), call.node.float_or("gamma", 1.05070102214813232421875f));
}

std::vector<Tensor> celu(const OpCall& call) {
  return apply(
      call, [](auto x, auto alpha) { return x < 0 ? alpha * std::expm1(x / alpha) : x; },
      call.node.float_or("alpha", 1.0f));
}

std::vector<Tensor> gelu(const OpCall& call) {
  const std::string approximate = call.node.string_or("approximate", "none");
  if (approximate == "tanh") {
    return apply(call, [](auto x) {
      using T = decltype(x);
      const T inner = std::sqrt(T{2} / std::numbers::pi_v<T>) * (x + static_cast<T>(0.044715) * x * x * x);
      return x * logistic(T{2} * inner);  // (1 + tanh(u)) / 2 without the cancellation far below zero
    });
  }
  if (approximate != "none") call.refuse("approximate must be none or tanh, found '{}'", approximate);
  return apply(call, [](auto x) {
    using T = decltype(x);
    return static_cast<T>(0.5) * x * std::erfc(-x / std::numbers::sqrt2_v<T>);  // 1 + erf, without cancellation
  });
}

std::vector<Tensor> mish(const OpCall& call) {
  return apply(call, [](auto x) { return x * std::tanh(log_one_plus_exp(x)); });
}

std::vector<Tensor> swish(const OpCall& call) {
  return apply(
      call, [](auto x, auto alpha) { return x * logistic(alpha * x); }, call.node.float_or("alpha", 1.0f));
}

std::vector<Tensor> hard_sigmoid(const OpCall& call) {
  return apply(
      call, [](auto x, auto alpha, auto beta) { return hard_logistic(x, alpha, beta); },
      call.node.float_or("alpha", 0.2f), call.node.float_or("beta", 0.5f));
}

std::vector<Tensor> hard_swish(const OpCall& call) {
  return apply(call, [](auto x) {
    using T = decltype(x);
    return x * hard_logistic(x, T{1} / T{6}, static_cast<T>(0.5));
  });
}

std::vector<Tensor> sigmoid(const OpCall& call) {
  return apply(call, [](auto x) { return logistic(x); });
}

std::vector<Tensor> tanh(const OpCall& call) {
  return apply(call, [](auto x) { return std::tanh(x); });
}

std::vector<Tensor> erf(const OpCall& call) {
  return apply(call, [](auto x) { return std::erf(x); });
}

std::vector<Tensor> softplus(const OpCall& call) {
  return apply(call, [](auto x) { return log_one_plus_exp(x); });
}

std::vector<Tensor> softsign(const OpCall& call) {
  return apply(call, [](auto x) { return x / (decltype(x){1} + std::abs(x)); });
}

std::vector<Tensor> shrink(const OpCall& call) {
  const float lambd = call.node.float_or("lambd", 0.5f);
  const float bias = call.node.float_or("bias", 0.0f);
  return in_numeric(call, [&]<typename T>(const OpCall& c) -> std::vector<Tensor> {
    using Wide = std::conditional_t<std::is_integral_v<T>, double, T>;
    return {map<T>(c.input(0), [&](T x) {
      const auto wide = static_cast<Wide>(x);
      if (wide < static_cast<Wide>(-lambd)) return static_cast<T>(wide + static_cast<Wide>(bias));
      if (wide > static_cast<Wide>(lambd)) return static_cast<T>(wide - static_cast<Wide>(bias));
      return T{0};
    })};
  });
}

}  // namespace halftone::sim::ops
