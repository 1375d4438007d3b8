#include "halftone/sim/ops.h"
#include "halftone/sim/ops/arithmetic.h"

namespace halftone::sim::ops {
namespace {

template <typename F>
std::vector<Tensor> unary(const OpCall& call, F&& f) {
  const Tensor& x = call.input(0);
  const DType arithmetic = arithmetic_type(x.dtype());
  return dispatch_arithmetic(arithmetic, [&](auto zero) {
    return std::vector{convert(map<decltype(zero)>(convert(x, arithmetic), f), x.dtype())};
  });
}

}  // namespace

std::vector<Tensor> abs(const OpCall& call) {
  return unary(call, [](auto x) { return x < 0 ? wrapping_sub(decltype(x){0}, x) : x + 0; });
}

std::vector<Tensor> neg(const OpCall& call) {
  return unary(call, [](auto x) {
    if constexpr (std::is_floating_point_v<decltype(x)>) return -x;  // 0 - x would lose the sign of -0
    return wrapping_sub(decltype(x){0}, x);
  });
}

std::vector<Tensor> sign(const OpCall& call) {
  return unary(call, [](auto x) {
    using T = decltype(x);
    return x > 0 ? T{1} : x < 0 ? static_cast<T>(-1) : x;  // NaN stays NaN
  });
}

std::vector<Tensor> bitwise_not(const OpCall& call) {
  const Tensor& x = call.input(0);
  if (!is_integer(x.dtype())) call.refuse("requires integers, found {}", name_of(x.dtype()));
  return {convert(map<int64_t>(convert(x, DType::Int64), [](int64_t v) { return ~v; }), x.dtype())};
}

}  // namespace halftone::sim::ops
