#include "halftone/transform/rewrite.h"

namespace halftone::transform {

RewriteIndex::RewriteIndex(const Graph& graph, const KeepNames& keep)
    : GraphIndex(graph), graph_(graph), keep_(keep), captured_(graph.value_count()) {
  for (const Node& node : graph.nodes()) {
    for (ValueId id : node.captures) captured_[static_cast<size_t>(id)] = true;
  }
}

const Tensor* RewriteIndex::fixed_constant(ValueId id) const {
  if (id == ValueId::None || is_graph_input(id)) return nullptr;
  const Value& value = graph_.value(id);
  return value.constant ? &*value.constant : nullptr;
}

const Tensor* RewriteIndex::replaceable_floats(ValueId id) const {
  const Tensor* constant = fixed_constant(id);
  return constant != nullptr && constant->dtype() == DType::Float && !is_kept(id) ? constant : nullptr;
}

bool RewriteIndex::is_kept(ValueId id) const { return keep_.contains(graph_.value(id).name); }

ValueId replace_constant(Graph& graph, const GraphIndex& index, ValueId id, Tensor content) {
  if (index.sole_consumer(id) < 0)
    return graph.add_constant(graph.fresh_name(graph.value(id).name), std::move(content));
  Value& value = graph.value(id);
  value.type = {content.dtype(), to_dims(content.shape())};
  value.constant = std::move(content);
  return id;
}

}  // namespace halftone::transform
