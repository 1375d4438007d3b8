#include <cmath>

#include "halftone/quant/integer_rules.h"

namespace halftone::integer_rules {
namespace {

// One multiplier per output, from the grid of input 0.
bool finish_move(NodeContext& c) {
  for (size_t i = 0; i < c.plan.outputs.size(); ++i) {
    if (!c.add_multiplier(c.grid(0).scale, 1, c.plan.outputs[i].grid->scale, i)) return false;
  }
  return true;
}

}  // namespace

bool plan_move(NodeContext& c) {
  c.plan.form = IntegerForm::Move;
  if (!c.read_codes(0)) return false;
  const bool one_output = c.node().outputs.size() == 1 || !c.node().is("Split");
  return (one_output ? c.find_output() : c.find_outputs()) && finish_move(c);
}

bool plan_dropout(NodeContext& c) {
  const Tensor* training = c.constant(2);
  if (c.node().input(2) != ValueId::None && (training == nullptr || to_vector<int32_t>(*training) != std::vector{0})) {
    return c.refuse("it may run in training mode");
  }
  return plan_move(c);
}

bool plan_resize(NodeContext& c) {
  if (c.node().string_or("mode", "nearest") != "nearest") return c.refuse("it interpolates");
  if (c.node().string_or("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize") {
    return c.refuse("it fills with a value from outside the tensor");
  }
  return plan_move(c);
}

bool plan_pad(NodeContext& c) {
  const Node& node = c.node();
  if (!plan_move(c) || node.string_or("mode", "constant") != "constant") return c.reason().empty();
  float real = node.float_or("value", 0);
  if (node.input(2) != ValueId::None) {
    const Tensor* constant = c.constant(2);
    if (constant == nullptr || constant->size() != 1) return c.refuse("its padding value is computed by the network");
    real = to_vector<float>(*constant)[0];
  }
  const float steps = make_multiplier(real, 1, c.grid(0).scale);
  if (std::isnan(steps)) return c.refuse("its padding value is not a number");
  const IntegerOutput& output = c.plan.outputs[0];
  c.plan.pad_code = output.to_code(steps * output.multipliers[0]);
  return true;
}

bool plan_concat(NodeContext& c) {
  c.plan.form = IntegerForm::Concatenation;
  if (!c.find_output()) return false;
  for (size_t i = 0; i < c.node().inputs.size(); ++i) {
    if (!c.read_codes(i) || !c.add_multiplier(c.grid(i).scale, 1, c.plan.outputs[0].grid->scale)) return false;
  }
  return true;
}

}  // namespace halftone::integer_rules
