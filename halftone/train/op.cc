#include "halftone/train/op.h"

#include <unordered_map>

#include "halftone/sim/interpreter.h"
#include "halftone/train/tensors.h"

namespace halftone::train {

const at::Tensor& OpCall::input(size_t i) const {
  if (!has_input(i)) refuse("input {} is required, but it is left out", i);
  return inputs[i];
}

std::vector<int64_t> OpCall::integers_or(size_t i, std::vector<int64_t> fallback) const {
  if (!has_input(i)) return fallback;
  const at::Tensor list = inputs[i].detach().to(at::kLong).contiguous();
  return {list.data_ptr<int64_t>(), list.data_ptr<int64_t>() + list.numel()};
}

double OpCall::number_or(size_t i, double fallback) const {
  if (!has_input(i)) return fallback;
  if (inputs[i].numel() != 1) refuse("input {} must be one number, found {}", i, inputs[i].numel());
  return inputs[i].item<double>();
}

OpFunction find_op(const Node& node) {
  static const std::unordered_map<std::string_view, OpFunction> functions = {
#define HT_TRAIN_OP(name, function) {#name, ops::function},
#include "halftone/train/ops.def"
#undef HT_TRAIN_OP
  };
  if (!node.domain.empty()) return nullptr;
  const auto found = functions.find(node.op_type);
  return found == functions.end() ? nullptr : found->second;
}

std::vector<at::Tensor> compute_without_gradient(const OpCall& call) {
  std::vector<Tensor> operands;
  for (const at::Tensor& input : call.inputs) operands.push_back(input.defined() ? from_torch(input) : Tensor());
  sim::OpCall plain{call.graph, call.node, call.opset, {}};
  for (const Tensor& operand : operands) plain.inputs.push_back(operand.defined() ? &operand : nullptr);
  std::vector<at::Tensor> results;
  for (const Tensor& result : sim::compute(plain)) {
    results.push_back(result.defined() ? to_torch(result) : at::Tensor());
  }
  return results;
}

}  // namespace halftone::train
