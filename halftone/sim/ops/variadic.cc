#include "halftone/sim/ops.h"
#include "halftone/sim/ops/arithmetic.h"

namespace halftone::sim::ops {
namespace {

// Folds all inputs from left to right in the arithmetic type; `finish` sees the result and the number of inputs.
template <typename F, typename G>
std::vector<Tensor> fold(const OpCall& call, F&& f, G&& finish) {
  const std::vector<Tensor> operands = broadcast_inputs(call, -1);
  const DType dtype = operands[0].dtype();
  const DType arithmetic = arithmetic_type(dtype);
  return dispatch_arithmetic(arithmetic, [&](auto zero) {
    using T = decltype(zero);
    Tensor result = convert(operands[0], arithmetic);
    for (size_t i = 1; i < operands.size(); ++i) result = zip<T>(result, convert(operands[i], arithmetic), f);
    result = map<T>(result, [&](T x) { return finish(x, static_cast<T>(operands.size())); });
    return std::vector{convert(result, dtype)};
  });
}

constexpr auto as_is = [](auto x, auto) { return x; };

}  // namespace

std::vector<Tensor> min(const OpCall& call) {
  return fold(
      call, [](auto a, auto b) { return smaller(a, b); }, as_is);
}

std::vector<Tensor> max(const OpCall& call) {
  return fold(
      call, [](auto a, auto b) { return larger(a, b); }, as_is);
}

std::vector<Tensor> sum(const OpCall& call) {
  return fold(
      call, [](auto a, auto b) { return wrapping_add(a, b); }, as_is);
}

std::vector<Tensor> mean(const OpCall& call) {
  return fold(
      call, [](auto a, auto b) { return wrapping_add(a, b); }, [](auto x, auto n) { return x / n; });
}

}  // namespace halftone::sim::ops
