#include <algorithm>

#include "halftone/sim/interpreter.h"
#include "halftone/transform/rewrite.h"

namespace halftone::transform {
namespace {

// A constant that is much larger than what it is made from stays a node: folding must not blow up the network.
constexpr int64_t kMaxFoldedBytes = int64_t{64} << 20;

bool fits(const TensorType& type) {
  const std::optional<Shape> shape = type.fixed_shape();
  if (!shape || type.dtype == DType::Undefined || type.dtype == DType::String) return false;
  int64_t bytes = (bits_of(type.dtype) + 7) / 8;
  for (int64_t dim : *shape) {
    if (__builtin_mul_overflow(bytes, dim, &bytes) || bytes > kMaxFoldedBytes) return false;
  }
  return true;
}

// Shape and Size depend on their operand's type only.
std::optional<Tensor> known_by_type(const Graph& graph, const Node& node) {
  if (!node.is("Shape") && !node.is("Size")) return std::nullopt;
  if (node.input(0) == ValueId::None) return std::nullopt;
  const std::optional<Shape> shape = graph.value(node.inputs[0]).type.fixed_shape();
  if (!shape) return std::nullopt;
  if (node.is("Size")) return Tensor::scalar<int64_t>(element_count(*shape));
  const auto rank = static_cast<int64_t>(shape->size());
  const auto bound = [rank](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank); };
  const int64_t start = bound(node.int_or("start", 0));
  const int64_t end = std::max(start, bound(node.int_or("end", rank)));
  return Tensor::from<int64_t>({end - start}, std::vector<int64_t>(shape->begin() + start, shape->begin() + end));
}

bool foldable(const Graph& graph, const RewriteIndex& index, const Node& node) {
  if (sim::find_function(node) == nullptr || !node.captures.empty()) return false;
  for (ValueId id : node.inputs) {
    // An encoded constant is read rounded, which a fold would miss.
    if (id != ValueId::None && (index.fixed_constant(id) == nullptr || index.is_kept(id))) return false;
  }
  return std::all_of(node.outputs.begin(), node.outputs.end(),
                     [&](ValueId id) { return id == ValueId::None || fits(graph.value(id).type); });
}

std::vector<Tensor> compute(const Graph& graph, const Node& node) {
  sim::OpCall call{graph, node, graph.opset(), {}};
  for (ValueId id : node.inputs) {
    call.inputs.push_back(id == ValueId::None ? nullptr : &*graph.value(id).constant);
  }
  return sim::compute(call);
}

}  // namespace

// Rewrite f(constants) to a constant when no caller can override the operands and nobody keeps them.
Graph fold_constants(Graph graph, const KeepNames& keep) {
  const RewriteIndex index(graph, keep);
  std::vector<Node> left;
  for (Node& node : graph.nodes()) {
    const bool bound = std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) {
      return id != ValueId::None && (index.is_graph_output(id) || index.is_kept(id));
    });
    std::vector<Tensor> results;
    if (!bound) {
      if (std::optional<Tensor> known = known_by_type(graph, node)) {
        results.push_back(std::move(*known));
      } else if (foldable(graph, index, node)) {
        results = compute(graph, node);
      }
    }
    if (results.empty()) {
      left.push_back(std::move(node));
      continue;
    }
    for (size_t i = 0; i < node.outputs.size() && i < results.size(); ++i) {
      if (node.outputs[i] == ValueId::None) continue;
      Value& value = graph.value(node.outputs[i]);
      value.type = {results[i].dtype(), to_dims(results[i].shape())};
      value.constant = std::move(results[i]);
    }
  }
  graph.nodes() = std::move(left);
  graph.remove_dead();
  return graph;
}

}  // namespace halftone::transform
