#include <string>
#include <unordered_map>

#include "halftone/sim/interpreter.h"
#include "halftone/sim/ops.h"

namespace halftone::sim {

const Tensor& OpCall::input(size_t i) const {
  if (!has_input(i)) refuse("input {} is required, but it is left out", i);
  return *inputs[i];
}

OpFunction find_function(const Node& node) {
  static const std::unordered_map<std::string_view, OpFunction> functions = {
#define HT_SIM_OP(name, function) {#name, ops::function},
#include "halftone/sim/ops.def"
#undef HT_SIM_OP
  };
  if (!node.domain.empty()) return nullptr;
  const auto found = functions.find(node.op_type);
  return found == functions.end() ? nullptr : found->second;
}

std::vector<Tensor> compute(const OpCall& call) {
  const std::string where = describe(call.graph, call.node);
  const OpFunction function = find_function(call.node);
  if (function == nullptr) {
    const std::string_view domain = call.node.domain.empty() ? "ai.onnx" : std::string_view(call.node.domain);
    fail(ErrorCode::Unsupported, where, "the reference interpreter has no operator {} of domain {}", call.node.op_type,
         domain);
  }
  try {
    return function(call);
  } catch (const Error& error) {
    // Helpers of lower rooms (broadcasting, axes) don't know whose operands they look at.
    if (error.where() == where) throw;
    throw Error(error.code(), where, error.what());
  }
}

}  // namespace halftone::sim
