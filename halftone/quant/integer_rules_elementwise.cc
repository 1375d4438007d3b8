#include <algorithm>
#include <cmath>

#include "halftone/quant/integer_rules.h"

namespace halftone::integer_rules {
namespace {

// Splits the two operands of Add or Mul: both in codes, or one in codes and the other a constant without encoding.
// Returns the position of the first in codes through `x`.
bool read_operands(NodeContext& c, size_t& x) {
  for (size_t i = 0; i < 2; ++i) {
    const Tensor* constant = c.constant(i);
    if (constant == nullptr || c.encoding(c.node().input(i)) != nullptr) continue;
    if (constant->dtype() != DType::Float) return c.refuse("its constant is {}", name_of(constant->dtype()));
    if (c.plan.constant_input >= 0) return c.refuse("both of its operands are constants without encodings");
    c.plan.constant_input = static_cast<int>(i);
  }
  x = c.plan.constant_input == 0 ? 1 : 0;
  return c.read_codes(x) && (c.plan.constant_input >= 0 || c.read_codes(1)) && c.find_output();
}

// float32(factor * c / s_y) of each element of the constant operand.
bool scale_constant(NodeContext& c, double factor) {
  const Tensor& constant = *c.constant(static_cast<size_t>(c.plan.constant_input));
  const double step = c.plan.outputs[0].grid->scale;
  std::vector<float> scaled;
  for (float value : constant.data<float>()) {
    scaled.push_back(make_multiplier(factor, value, step));
    if (!std::isfinite(scaled.back())) return c.refuse("its constant holds {}, beyond float32 in steps", value);
  }
  c.plan.constant = Tensor::from(constant.shape(), scaled);
  return true;
}

// The common shift of both operands, or of the one in codes and of `plan.constant`, which is then rounded to it.
bool finish_dyadic_sum(NodeContext& c, size_t x) {
  const std::vector<float>& multipliers = c.plan.outputs[0].multipliers;
  const int64_t reach = c.grid(x).reach();
  std::optional<DyadicSum> sum;
  if (c.plan.constant_input < 0) {
    sum = make_dyadic_sum(multipliers[0], reach, multipliers[1], c.grid(1).reach());
    if (sum) c.plan.dyadic_sum = *sum;
    return sum || c.refuse("its multipliers {} and {} have no common shift", multipliers[0], multipliers[1]);
  }
  // Constants that no code can bring back into the output's range saturate; cut, they cost the shift nothing.
  const double limit =
      static_cast<double>(reach) * multipliers[0] + static_cast<double>(c.plan.outputs[0].grid->reach()) + 1;
  std::vector<double> steps;
  double most = 0;
  for (float value : c.plan.constant.data<float>()) {
    steps.push_back(std::clamp(double{value}, -limit, limit));
    most = std::max(most, std::abs(steps.back()));
  }
  // The constant takes part in the bound where the sum has to fit int32.
  const bool narrow = reach <= 255;
  sum = make_dyadic_sum(multipliers[0], reach, narrow ? most : 0, narrow ? 1 : 0);
  if (!sum) return c.refuse("its multiplier {} and its constant have no common shift", multipliers[0]);
  sum->multiplier_b = 0;
  c.plan.dyadic_sum = *sum;
  std::vector<int64_t> rounded;
  for (double value : steps) rounded.push_back(std::llrint(std::ldexp(value, sum->shift)));
  c.plan.constant = Tensor::from(c.plan.constant.shape(), rounded);
  return true;
}

}  // namespace

bool plan_add(NodeContext& c) {
  c.plan.form = IntegerForm::Sum;
  size_t x = 0;
  if (!read_operands(c, x)) return false;
  const double step = c.plan.outputs[0].grid->scale;
  if (!c.add_multiplier(c.grid(x).scale, 1, step)) return false;
  if (!(c.plan.constant_input >= 0 ? scale_constant(c, 1) : c.add_multiplier(c.grid(1).scale, 1, step))) return false;
  return c.mode() == RequantizeMode::Float || finish_dyadic_sum(c, x);
}

bool plan_mul(NodeContext& c) {
  c.plan.form = IntegerForm::Product;
  size_t x = 0;
  if (!read_operands(c, x)) return false;
  if (c.plan.constant_input >= 0) return scale_constant(c, c.grid(x).scale);
  const Grid &a = c.grid(0), &b = c.grid(1);
  if (a.reach() * b.reach() > INT32_MAX) {
    return c.refuse("products of up to {} could leave 32 bits", a.reach() * b.reach());
  }
  return c.add_multiplier(a.scale, b.scale, c.plan.outputs[0].grid->scale);
}

bool plan_activation(NodeContext& c) {
  c.plan.form = IntegerForm::Activation;
  if (!c.read_codes(0) || !c.find_outputs()) return false;
  const Node& node = c.node();
  IntegerOutput& output = c.plan.outputs[0];
  const double ratio = double{c.grid(0).scale} / double{output.grid->scale};
  if (!c.add_multiplier(c.grid(0).scale, 1, output.grid->scale)) return false;
  if (node.is("LeakyRelu")) {
    const auto negative = static_cast<float>(double{node.float_or("alpha", 0.01F)} * ratio);
    if (!std::isfinite(negative)) return c.refuse("its slope for negative values leaves float32");
    output.multipliers.push_back(negative);
    return true;
  }
  output.multipliers.push_back(output.multipliers[0]);
  const auto bounds = c.activation_bounds(node, *output.grid);
  if (!bounds) return c.refuse("its bounds are not constant, or exclude every number");
  std::tie(output.low, output.high) = *bounds;
  return true;
}

}  // namespace halftone::integer_rules
