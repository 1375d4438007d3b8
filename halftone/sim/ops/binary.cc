#include <cmath>

#include "halftone/sim/ops.h"
#include "halftone/sim/ops/arithmetic.h"

namespace halftone::sim::ops {
namespace {

template <typename F>
std::vector<Tensor> binary(const OpCall& call, F&& f) {
  const std::vector<Tensor> operands = broadcast_inputs(call, 2);
  const DType dtype = operands[0].dtype();
  const DType arithmetic = arithmetic_type(dtype);
  return dispatch_arithmetic(arithmetic, [&](auto zero) {
    using T = decltype(zero);
    return std::vector{convert(zip<T>(convert(operands[0], arithmetic), convert(operands[1], arithmetic), f), dtype)};
  });
}

template <typename T>
void check_divisor(const OpCall& call, T divisor) {
  if (divisor == 0) call.refuse("integers can't be divided by zero");
}

}  // namespace

std::vector<Tensor> add(const OpCall& call) {
  return binary(call, [](auto a, auto b) { return wrapping_add(a, b); });
}

std::vector<Tensor> sub(const OpCall& call) {
  return binary(call, [](auto a, auto b) { return wrapping_sub(a, b); });
}

std::vector<Tensor> mul(const OpCall& call) {
  return binary(call, [](auto a, auto b) { return wrapping_mul(a, b); });
}

std::vector<Tensor> div(const OpCall& call) {
  return binary(call, [&call](auto a, auto b) {
    using T = decltype(a);
    if constexpr (std::is_integral_v<T>) {
      check_divisor(call, b);
      // The lowest int64 has no positive counterpart; its quotient by -1 wraps.
      if constexpr (std::is_signed_v<T>) {
        if (b == -1) return wrapping_sub(T{0}, a);
      }
    }
    return static_cast<T>(a / b);
  });
}

// fmod=1: the remainder has the dividend's sign (C); otherwise the divisor's (Python).
std::vector<Tensor> mod(const OpCall& call) {
  const bool c_remainder = call.node.int_or("fmod", 0) != 0;
  return binary(call, [&call, c_remainder](auto a, auto b) {
    using T = decltype(a);
    T remainder;
    if constexpr (std::is_integral_v<T>) {
      check_divisor(call, b);
      remainder = b == static_cast<T>(-1) && std::is_signed_v<T> ? T{0} : a % b;
    } else {
      remainder = std::fmod(a, b);
    }
    if (!c_remainder && remainder != 0 && (remainder < 0) != (b < 0)) remainder += b;
    return remainder;
  });
}

}  // namespace halftone::sim::ops
