#include "halftone/sim/ops.h"
#include "halftone/sim/ops/arithmetic.h"

namespace halftone::sim::ops {
namespace {

template <typename F>
std::vector<Tensor> compare(const OpCall& call, F&& f) {
  const std::vector<Tensor> operands = broadcast_inputs(call, 2);
  const DType arithmetic = arithmetic_type(operands[0].dtype());
  return dispatch_arithmetic(arithmetic, [&](auto zero) {
    return std::vector{zip<decltype(zero)>(convert(operands[0], arithmetic), convert(operands[1], arithmetic), f)};
  });
}

}  // namespace

std::vector<Tensor> equal(const OpCall& call) {
  if (call.input(0).dtype() != DType::String) return compare(call, [](auto a, auto b) { return a == b; });
  const std::vector<Tensor> operands = broadcast_inputs(call, 2);
  Tensor result(DType::Bool, operands[0].shape());
  const std::span<bool> out = result.mutable_data<bool>();
  for (size_t i = 0; i < out.size(); ++i) out[i] = operands[0].strings()[i] == operands[1].strings()[i];
  return {result};
}

std::vector<Tensor> less(const OpCall& call) {
  return compare(call, [](auto a, auto b) { return a < b; });
}

std::vector<Tensor> less_or_equal(const OpCall& call) {
  return compare(call, [](auto a, auto b) { return a <= b; });
}

std::vector<Tensor> greater(const OpCall& call) {
  return compare(call, [](auto a, auto b) { return a > b; });
}

std::vector<Tensor> greater_or_equal(const OpCall& call) {
  return compare(call, [](auto a, auto b) { return a >= b; });
}

}  // namespace halftone::sim::ops
