#include "halftone/train/executor.h"

#include <utility>

#include "halftone/graph/value_index.h"
#include "halftone/sim/interpreter.h"
#include "halftone/train/tensors.h"
#include "halftone/transform/upgrade_opset.h"

namespace halftone::train {
namespace {

constexpr int64_t kOpset = 21;

bool needs_gradient(const std::vector<at::Tensor>& inputs) {
  if (!at::GradMode::is_enabled()) return false;
  for (const at::Tensor& input : inputs) {
    if (input.defined() && input.requires_grad()) return true;
  }
  return false;
}

// Leaves the tensor's identity, which optimizers hold on to.
void take(const at::Tensor& from, Tensor& to) {
  if (!is_floating(to.dtype())) return;
  to = convert(from_torch(from), to.dtype());
}

class Run {
 public:
  Run(const Graph& graph, std::vector<int> readers, Intervention* intervention)
      : graph_(graph), readers_(std::move(readers)), intervention_(intervention), values_(graph.value_count()) {}

  void define(ValueId id, at::Tensor value) { values_[index_of(id)] = std::move(value); }

  void compute(const Node& node, BatchStatistics statistics) {
    OpCall call{graph_, node, graph_.opset(), {}, statistics == BatchStatistics::Updated};
    for (ValueId id : node.inputs) call.inputs.push_back(read(id));
    std::vector<at::Tensor> results;
    if (intervention_ != nullptr) results = intervention_->compute(call);
    if (results.empty()) results = computed(call);
    for (size_t i = 0; i < node.outputs.size() && i < results.size(); ++i) {
      const ValueId id = node.outputs[i];
      if (id == ValueId::None || readers_[index_of(id)] == 0) continue;
      const bool changed = intervention_ != nullptr && results[i].is_floating_point();
      define(id, changed ? intervention_->result(id, results[i]) : results[i]);
    }
  }

  at::Tensor output(ValueId id) const { return values_[index_of(id)]; }

 private:
  // A value is let go of after its last reader; autograd keeps what it needs.
  at::Tensor read(ValueId id) {
    if (id == ValueId::None) return {};
    at::Tensor& value = values_[index_of(id)];
    return --readers_[index_of(id)] == 0 ? std::exchange(value, at::Tensor()) : value;
  }

  std::vector<at::Tensor> computed(const OpCall& call) const {
    const OpFunction function = find_op(call.node);
    const std::string where = describe(graph_, call.node);
    if (function == nullptr && needs_gradient(call.inputs)) {
      fail(ErrorCode::Unsupported, where,
           "{} has no gradient here, but lies between parameters and the loss; freeze what comes before it, or train "
           "from one of the values before it",
           call.node.op_type);
    }
    if (function == nullptr) return compute_without_gradient(call);
    try {
      return function(call);
    } catch (const c10::Error& error) {
      fail(ErrorCode::InvalidModel, where, "{}", error.what_without_backtrace());
    }
  }

  const Graph& graph_;
  std::vector<int> readers_;
  Intervention* intervention_;
  std::vector<at::Tensor> values_;
};

}  // namespace

Executor::Executor(Graph graph) : graph_(upgrade_opset(std::move(graph), kOpset)) {
  for (const Node& node : graph_.nodes()) {
    if (find_op(node) != nullptr || sim::find_function(node) != nullptr) continue;
    fail(ErrorCode::Unsupported, describe(graph_, node), "training has no operator {} of domain {}", node.op_type,
         node.domain.empty() ? "ai.onnx" : node.domain);
  }
  readers_.resize(graph_.value_count());
  for (const Node& node : graph_.nodes()) {
    for (ValueId id : node.inputs) {
      if (id != ValueId::None) ++readers_[index_of(id)];
    }
  }
  for (ValueId id : graph_.outputs()) ++readers_[index_of(id)];
  for (ValueId id : graph_.live_values()) {
    const Value& value = graph_.value(id);
    if (value.constant && readers_[index_of(id)] > 0) constants_[value.name] = to_torch(*value.constant);
  }
}

std::vector<at::Tensor> Executor::forward(const std::vector<at::Tensor>& inputs, BatchStatistics statistics,
                                          Intervention* intervention) const {
  const std::vector<ValueId> required = graph_.required_inputs();
  if (inputs.size() != required.size()) {
    fail(ErrorCode::InvalidArgument, "forward", "the network has {} inputs, found {}", required.size(), inputs.size());
  }
  Run run(graph_, readers_, intervention);
  for (const auto& [name, tensor] : constants_) {
    const ValueId id = graph_.find(name);
    const bool changed = intervention != nullptr && tensor.is_floating_point();
    run.define(id, changed ? intervention->constant(id, tensor) : tensor);
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    const bool changed = intervention != nullptr && inputs[i].is_floating_point();
    run.define(required[i], changed ? intervention->result(required[i], inputs[i]) : inputs[i]);
  }
  for (const Node& node : graph_.nodes()) run.compute(node, statistics);
  std::vector<at::Tensor> outputs;
  for (ValueId id : graph_.outputs()) outputs.push_back(run.output(id));
  return outputs;
}

Graph Executor::updated_graph() const {
  Graph graph = graph_;
  for (const auto& [name, tensor] : constants_) take(tensor, *graph.value(graph.find(name)).constant);
  return graph;
}

}  // namespace halftone::train
