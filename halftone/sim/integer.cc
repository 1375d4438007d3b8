#include "halftone/sim/integer.h"

#include <array>

#include "halftone/sim/integer_forms.h"
#include "halftone/tensor/packing.h"

namespace halftone::sim {
namespace {

IntegerFunction function_of(IntegerForm form) {
  // In the order of IntegerForm.
  static constexpr std::array<IntegerFunction, 12> functions = {
      integer_product_sum, integer_product_sum, integer_product_sum,   integer_sum,
      integer_product,     integer_activation,  integer_function,      integer_window_mean,
      integer_mean,        integer_move,        integer_concatenation, integer_dynamic_product};
  return functions.at(static_cast<size_t>(form));
}

// q - zero_point of every element.
Tensor centred(const Tensor& codes, int32_t zero_point) {
  std::vector<int32_t> values = unpack_integers(codes);
  for (int32_t& value : values) value -= zero_point;
  return Tensor::from(codes.shape(), values);
}

}  // namespace

Tensor integer_weights(const IntegerNode& node) {
  return node.weights.defined() ? Tensor::from(node.weights.shape(), centred_weights(node)) : Tensor();
}

std::vector<Tensor> compute_integers(const IntegerNode& plan, const Tensor& weights, const OpCall& call) {
  IntegerCall integers{plan, call, weights, std::vector<Tensor>(plan.inputs.size())};
  for (size_t i = 0; i < plan.inputs.size(); ++i) {
    if (plan.inputs[i]) integers.operands[i] = centred(call.input(i), plan.inputs[i]->zero_point);
  }
  std::vector<Tensor> results = function_of(plan.form)(integers);
  for (size_t i = 0; i < results.size(); ++i) {
    const std::optional<Grid>& grid = plan.outputs[i].grid;
    if (grid) results[i] = pack_integers(grid->dtype, results[i].shape(), results[i].data<int32_t>());
  }
  return results;
}

IntegerNodes::IntegerNodes(const QuantizedModel& model, RequantizeMode mode)
    : plan_(plan_integers(model, mode)), weights_(plan_.nodes.size()) {
  for (size_t i = 0; i < plan_.nodes.size(); ++i) {
    if (plan_.nodes[i]) weights_[i] = integer_weights(*plan_.nodes[i]);
  }
}

}  // namespace halftone::sim
