// How a node is computed on libtorch, so that gradients flow back through it. One line in ops.def and a function in
// ops/ make an operator differentiable.
#pragma once

#include <string_view>
#include <vector>

#include "halftone/graph/graph.h"
#include "halftone/train/torch.h"

namespace halftone::train {

// One node, ready to be computed.
struct OpCall {
  const Graph& graph;
  const Node& node;
  int64_t opset;
  std::vector<at::Tensor> inputs;  // undefined for an input left out
  // Batch normalization normalizes by the batch's statistics and updates the running ones in place.
  bool batch_statistics = false;

  bool has_input(size_t i) const { return i < inputs.size() && inputs[i].defined(); }
  // Errors: Error{InvalidModel} when it is left out.
  const at::Tensor& input(size_t i) const;
  // Input i as a list of integers, `fallback` where it is left out.
  std::vector<int64_t> integers_or(size_t i, std::vector<int64_t> fallback) const;
  // Input i as one number, `fallback` where it is left out.
  double number_or(size_t i, double fallback) const;
  template <typename... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorCode::InvalidModel, describe(graph, node), format, std::forward<Args>(args)...);
  }
};

// Computes the node's outputs. Errors: Error{InvalidModel} for operands that contradict the operator's definition,
// Error{Unsupported} for a variant that has no gradient here.
using OpFunction = std::vector<at::Tensor> (*)(const OpCall&);

// The differentiable form of an ONNX operator, or nullptr.
OpFunction find_op(const Node& node);

// What the reference interpreter makes of the node, as constants: for shapes, positions and whatever else no gradient
// goes through. Errors: those of sim::compute.
std::vector<at::Tensor> compute_without_gradient(const OpCall& call);

namespace ops {

#define HT_TRAIN_OP(name, function) std::vector<at::Tensor> function(const OpCall& call);
#include "halftone/train/ops.def"
#undef HT_TRAIN_OP

}  // namespace ops
}  // namespace halftone::train
