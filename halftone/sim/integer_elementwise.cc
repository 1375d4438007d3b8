#include "halftone/sim/integer_forms.h"
#include "halftone/sim/ops/element_writer.h"

namespace halftone::sim {
namespace {

// Operand i at the output's shape: q - zero_point, or the plan's constant.
Tensor operand(const IntegerCall& c, size_t i, const Shape& shape) {
  const bool is_constant = static_cast<int>(i) == c.plan.constant_input;
  return ops::broadcast_to(c.call, is_constant ? c.plan.constant : c.operands[i], shape);
}

Shape output_shape(const IntegerCall& c) { return broadcast(c.call.input(0).shape(), c.call.input(1).shape()); }

// The codes f(i) of every element.
template <typename F>
Tensor codes_of(const Shape& shape, const F& f) {
  Tensor codes(DType::Int32, shape);
  const std::span<int32_t> to = codes.mutable_data<int32_t>();
  for (size_t i = 0; i < to.size(); ++i) to[i] = f(i);
  return codes;
}

}  // namespace

std::vector<Tensor> integer_sum(const IntegerCall& c) {
  const Shape shape = output_shape(c);
  const IntegerOutput& output = c.output();
  const Tensor left = operand(c, 0, shape), right = operand(c, 1, shape);
  const bool dyadic = output.mode == RequantizeMode::Dyadic;
  const DyadicSum& sum = c.plan.dyadic_sum;
  const auto dyadic_code = [&](int32_t a, int64_t b) {
    return requantize_dyadic_sum(a, b, sum, output.grid->zero_point, output.low, output.high);
  };
  if (c.plan.constant_input < 0) {
    const std::span<const int32_t> a = left.data<int32_t>(), b = right.data<int32_t>();
    if (dyadic) return {codes_of(shape, [&](size_t i) { return dyadic_code(a[i], int64_t{b[i]} * sum.multiplier_b); })};
    return {codes_of(shape, [&](size_t i) {
      const float x = static_cast<float>(a[i]) * output.multipliers[0];
      const float y = static_cast<float>(b[i]) * output.multipliers[1];
      return output.to_code(x + y);
    })};
  }
  const std::span<const int32_t> a = (c.plan.constant_input == 0 ? right : left).data<int32_t>();
  const Tensor& constant = c.plan.constant_input == 0 ? left : right;
  if (dyadic) {
    const std::span<const int64_t> b = constant.data<int64_t>();
    return {codes_of(shape, [&](size_t i) { return dyadic_code(a[i], b[i]); })};
  }
  const std::span<const float> steps = constant.data<float>();
  return {codes_of(shape, [&](size_t i) {
    const float x = static_cast<float>(a[i]) * output.multipliers[0];
    return output.to_code(x + steps[i]);
  })};
}

std::vector<Tensor> integer_product(const IntegerCall& c) {
  const Shape shape = output_shape(c);
  const IntegerOutput& output = c.output();
  const Tensor left = operand(c, 0, shape), right = operand(c, 1, shape);
  if (c.plan.constant_input < 0) {
    const std::span<const int32_t> a = left.data<int32_t>(), b = right.data<int32_t>();
    return {codes_of(shape, [&](size_t i) { return output.requantize(a[i] * b[i], output.multipliers[0]); })};
  }
  const std::span<const int32_t> a = (c.plan.constant_input == 0 ? right : left).data<int32_t>();
  const std::span<const float> factors = (c.plan.constant_input == 0 ? left : right).data<float>();
  return {codes_of(shape, [&](size_t i) { return output.requantize(a[i], factors[i]); })};
}

std::vector<Tensor> integer_activation(const IntegerCall& c) {
  const std::span<const int32_t> x = c.operands[0].data<int32_t>();
  const IntegerOutput& output = c.output();
  // Not output.multipliers[x[i] < 0]: GCC 12 at -O3 vectorizes that lookup for x86-64-v2 and picks wrong elements.
  const float positive = output.multipliers[0], negative = output.multipliers[1];
  return {codes_of(c.operands[0].shape(),
                   [&](size_t i) { return output.requantize(x[i], x[i] < 0 ? negative : positive); })};
}

}  // namespace halftone::sim
