#include <algorithm>

#include "halftone/transform/rewrite.h"

namespace halftone::transform {
namespace {

bool all_equal(const Tensor& tensor, int64_t number) {
  const std::vector<int64_t> elements = to_vector<int64_t>(tensor);
  return std::all_of(elements.begin(), elements.end(), [&](int64_t e) { return e == number; });
}

bool is_noop_pad(const RewriteIndex& index, const Node& node) {
  if (const Attribute* pads = node.find_attribute("pads")) {
    const auto* list = std::get_if<std::vector<int64_t>>(&pads->value);
    return list != nullptr && std::all_of(list->begin(), list->end(), [](int64_t p) { return p == 0; });
  }
  const Tensor* pads = index.fixed_constant(node.input(1));
  return pads != nullptr && all_equal(*pads, 0);
}

bool is_inference_dropout(const RewriteIndex& index, const Node& node) {
  if (node.output(1) != ValueId::None && !index.consumers(node.outputs[1]).empty()) return false;
  if (node.output(1) != ValueId::None && index.is_graph_output(node.outputs[1])) return false;
  if (node.input(2) == ValueId::None) return true;
  const Tensor* training = index.fixed_constant(node.inputs[2]);
  return training != nullptr && all_equal(*training, 0);
}

bool is_noop_transpose(const Node& node) {
  const std::vector<int64_t> perm = node.ints_or("perm", {});
  return !perm.empty() && std::is_sorted(perm.begin(), perm.end());
}

// The output has the input's type, shape and content.
bool hands_input_on(const Graph& graph, const RewriteIndex& index, const Node& node) {
  if (!node.domain.empty() || node.input(0) == ValueId::None || node.output(0) == ValueId::None) return false;
  const std::string& op = node.op_type;
  if (op == "Identity") return true;
  if (op == "Dropout") return is_inference_dropout(index, node);
  if (op == "Pad") return is_noop_pad(index, node);
  if (op == "Concat") return node.inputs.size() == 1;
  if (op == "Transpose") return is_noop_transpose(node);
  const TensorType& from = graph.value(node.inputs[0]).type;
  const TensorType& to = graph.value(node.outputs[0]).type;
  if (op == "Cast") return from.dtype != DType::Undefined && node.int_or("to", 0) == static_cast<int64_t>(from.dtype);
  if (op == "Reshape" || op == "Flatten" || op == "Squeeze" || op == "Unsqueeze" || op == "Expand") {
    return from.fixed_shape() && from.fixed_shape() == to.fixed_shape();
  }
  return false;
}

}  // namespace

// Rewrite y = identity(x) to x, or, when y is a graph output, let whoever makes x make y.
Graph remove_identity(Graph graph, const KeepNames& keep) {
  const RewriteIndex index(graph, keep);
  std::vector<ValueId> now(graph.value_count());  // what each value is called after the rewrite
  for (size_t i = 0; i < now.size(); ++i) now[i] = static_cast<ValueId>(i);
  const auto name_of = [&](ValueId& id) {
    if (id != ValueId::None) id = now[static_cast<size_t>(id)];
  };

  std::vector<Node> left;
  for (Node& node : graph.nodes()) {
    const ValueId y = node.output(0);
    if (hands_input_on(graph, index, node) && !index.is_kept(y) && !index.is_captured(y)) {
      const ValueId x = now[static_cast<size_t>(node.inputs[0])];
      if (!index.is_graph_output(y)) {
        now[static_cast<size_t>(y)] = x;
        continue;
      }
      const bool x_is_free = index.producer(x) >= 0 && !index.is_graph_output(x) && !index.is_kept(x);
      if (x_is_free && !index.is_captured(x)) {
        std::replace(now.begin(), now.end(), x, y);
        continue;
      }
    }
    left.push_back(std::move(node));
  }
  for (Node& node : left) {
    for (ValueId& id : node.inputs) name_of(id);
    for (ValueId& id : node.outputs) name_of(id);
  }
  graph.nodes() = std::move(left);
  graph.remove_dead();
  return graph;
}

}  // namespace halftone::transform
