#include "halftone/runtime/table.h"

#include <algorithm>
#include <array>

#include "halftone/kernels/lut/lut.h"
#include "halftone/quant/quant_params.h"
#include "halftone/runtime/codes.h"
#include "halftone/runtime/integer_rules/code_steps.h"
#include "halftone/runtime/lowering.h"
#include "halftone/sim/interpreter.h"

namespace halftone::runtime {
namespace {

// Operators that treat every element by itself; operands besides the data must be constants of one element.
constexpr std::array<std::string_view, 45> kElementwise = {
    "Abs",  "Acos",      "Acosh",       "Add",        "Asin", "Asinh", "Atan",  "Atanh",  "Ceil",
    "Celu", "Clip",      "Cos",         "Cosh",       "Div",  "Elu",   "Erf",   "Exp",    "Floor",
    "Gelu", "HardSwish", "HardSigmoid", "LeakyRelu",  "Log",  "Max",   "Min",   "Mish",   "Mul",
    "Neg",  "PRelu",     "Pow",         "Reciprocal", "Relu", "Round", "Selu",  "Shrink", "Sigmoid",
    "Sign", "Sin",       "Softplus",    "Softsign",   "Sqrt", "Sub",   "Swish", "Tanh",   "ThresholdedRelu"};

bool is_narrow_value(const Lowering& lowering, ValueId id) {
  const std::optional<Grid> grid = lowering.grid(id);
  return grid && is_narrow(*grid);
}

// The only operand that is no constant; None when there are several, or constants of more than one element.
ValueId data_of(const Lowering& lowering, const Node& node) {
  ValueId data = ValueId::None;
  for (ValueId id : node.inputs) {
    if (id == ValueId::None) continue;
    const Tensor* constant = lowering.constant(id);
    if (constant != nullptr && constant->size() == 1) continue;
    if (constant != nullptr || data != ValueId::None) return ValueId::None;
    data = id;
  }
  return data;
}

// What the node makes of each code of its data.
kernels::Table make_table(const Lowering& lowering, const Node& node, const Grid& from, const Grid& to) {
  const ValueId data = data_of(lowering, node);
  const int32_t offset = kernels::stored_offset(from.dtype);
  std::vector<float> reals;
  for (int32_t stored = 0; stored < 256; ++stored) {
    reals.push_back(dequantize(stored - offset, from.scale, from.zero_point));
  }
  const Tensor all = Tensor::from<float>({256}, reals);
  std::vector<Tensor> constants;
  constants.reserve(node.inputs.size());
  sim::OpCall call{lowering.graph(), node, lowering.graph().opset(), {}};
  for (ValueId id : node.inputs) {
    if (id == ValueId::None || id == data) {
      call.inputs.push_back(id == data ? &all : nullptr);
      continue;
    }
    constants.push_back(lowering.constant(id)->reshaped({}));
    call.inputs.push_back(&constants.back());
  }
  const Tensor results = sim::compute(call)[0];
  const std::span<const float> values = results.data<float>();
  const int32_t to_offset = kernels::stored_offset(to.dtype);
  return kernels::make_table([&](int32_t stored) {
    return quantize(values[static_cast<size_t>(stored)], to.scale, to.zero_point, to.low, to.high) + to_offset;
  });
}

}  // namespace

bool is_table(const Lowering& lowering, const Node& node) {
  const bool known = node.domain.empty() &&
                     std::find(kElementwise.begin(), kElementwise.end(), node.op_type) != kElementwise.end() &&
                     sim::find_function(node) != nullptr;
  if (!known || node.outputs.size() != 1 || !is_narrow_value(lowering, node.outputs[0])) return false;
  const ValueId data = data_of(lowering, node);
  if (data == ValueId::None || !is_narrow_value(lowering, data)) return false;
  return lowering.float_shape(data) == lowering.float_shape(node.outputs[0]);
}

std::string lower_table(Lowering& lowering) {
  const Node& node = lowering.node();
  if (!is_table(lowering, node)) return "no function of one quantized value alone";
  const ValueId x = data_of(lowering, node), y = node.outputs[0];
  const Grid from = *lowering.grid(x), to = *lowering.grid(y);
  const Place codes = lowering.codes(x, natural_layout(lowering, x));
  lowering.define(y, add_table(lowering, codes, to, make_table(lowering, node, from, to)));
  lowering.note().float_reason.clear();
  return "";
}

}  // namespace halftone::runtime
