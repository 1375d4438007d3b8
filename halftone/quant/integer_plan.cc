#include "halftone/quant/integer_plan.h"

#include <unordered_map>

#include "halftone/graph/op_table.h"
#include "halftone/quant/integer_rules.h"
#include "halftone/tensor/packing.h"

namespace halftone {
namespace {

integer_rules::Rule find_rule(const Node& node) {
  static const std::unordered_map<std::string_view, integer_rules::Rule> rules = {
#define HT_INTEGER_OP(name, rule) {#name, integer_rules::rule},
#include "halftone/quant/integer_ops.def"
#undef HT_INTEGER_OP
  };
  if (!node.domain.empty()) return nullptr;
  const auto found = rules.find(node.op_type);
  return found == rules.end() ? nullptr : found->second;
}

bool touches_encoding(const QuantizedModel& model, const Node& node) {
  if (find_dynamic(model, node)) return true;
  for (ValueId id : node.inputs) {
    if (find_encoding(model, id) != nullptr) return true;
  }
  for (ValueId id : node.outputs) {
    if (find_encoding(model, id) != nullptr) return true;
  }
  return false;
}

// What an encoding says of a constant must fit it; of other values only the files' readers can know.
void check_constants(const QuantizedModel& model) {
  for (const auto& [name, encoding] : model.encodings) {
    const ValueId id = model.graph.find(name);
    if (id == ValueId::None) continue;
    const std::optional<Tensor>& constant = model.graph.value(id).constant;
    if (constant) {
      check_params(encoding.params, constant->shape(), "constant '" + name + "'");
    } else if (!encoding.params.levels.empty()) {
      fail(ErrorCode::InvalidModel, "value '" + name + "'", "levels require a constant, this value is computed");
    }
  }
}

}  // namespace

std::vector<int32_t> centred_weights(const IntegerNode& node) {
  std::vector<int32_t> weights = unpack_integers(node.weights);
  const std::vector<int32_t>& zero = node.weight_zero_points;
  const bool per_tensor = zero.size() == 1;
  const std::vector<int64_t> strides = contiguous_strides(node.weights.shape());
  // Slices of the channel axis in turn, each a run of neighbours.
  const size_t run = per_tensor ? weights.size() : static_cast<size_t>(strides[static_cast<size_t>(node.weight_axis)]);
  size_t channel = 0;
  for (size_t begin = 0; begin < weights.size(); begin += run, channel = (channel + 1) % zero.size()) {
    for (size_t i = begin; i < begin + run; ++i) weights[i] -= zero[channel];
  }
  return weights;
}

IntegerPlan plan_integers(const QuantizedModel& model, RequantizeMode mode) {
  check_constants(model);
  Graph graph = model.graph;
  infer_shapes(graph);
  const GraphIndex index(graph);
  const size_t count = graph.nodes().size();
  IntegerPlan plan;
  plan.mode = mode;
  plan.nodes.resize(count);
  plan.absorbed.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const Node& node = graph.nodes()[i];
    if (plan.absorbed[i] || !touches_encoding(model, node)) continue;
    const int position = static_cast<int>(i);
    integer_rules::NodeContext context(model, graph, index, position, mode);
    const integer_rules::Rule rule = find_dynamic(model, node) ? integer_rules::plan_dynamic : find_rule(node);
    if (rule == nullptr) {
      plan.refusals[position] = fmt::format("there is no integer arithmetic for {}", node.op_type);
    } else if (rule(context)) {
      if (context.plan.activation >= 0) plan.absorbed[static_cast<size_t>(context.plan.activation)] = true;
      plan.nodes[i] = std::move(context.plan);
    } else {
      plan.refusals[position] = context.reason();
    }
  }
  return plan;
}

}  // namespace halftone
