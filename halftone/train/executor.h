// The room `train`: the same graph on libtorch, with gradients. The only room that sees libtorch; it sees ptq.
//
// An Executor computes a Graph node by node. What training changes hangs on it from outside: parameters are tensors
// that an optimizer updates, and an Intervention replaces values on their way (fake quantization).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "halftone/graph/graph.h"
#include "halftone/train/op.h"
#include "halftone/train/torch.h"

namespace halftone::train {

// What happens to values between the nodes. The defaults change nothing.
class Intervention {
 public:
  virtual ~Intervention() = default;
  // What the readers of a float constant see instead of it. Called once per run for each constant that somebody reads.
  virtual at::Tensor constant(ValueId, const at::Tensor& real) { return real; }
  // What the readers of a node's float result see instead of it.
  virtual at::Tensor result(ValueId, const at::Tensor& real) { return real; }
  // Computes the node in its own way; an empty list leaves it to the executor.
  virtual std::vector<at::Tensor> compute(const OpCall&) { return {}; }
};

enum class BatchStatistics {
  Frozen,   // batch normalization uses the running statistics
  Updated,  // it uses the batch's own, and moves the running ones
};

// A float network on libtorch. Copies share their constants. Thread safety: none; libtorch uses its own threads inside.
class Executor {
 public:
  // Raises the graph to the newest operator set that the rules are written for. Errors: those of upgrade_opset;
  // Error{Unsupported} naming a node of a domain that nobody here computes.
  explicit Executor(Graph graph);

  // The constants as libtorch sees them, by value name, to be updated in place. Floats, integers too.
  std::map<std::string, at::Tensor, std::less<>>& constants() { return constants_; }
  const std::map<std::string, at::Tensor, std::less<>>& constants() const { return constants_; }
  // The graph as it is executed. Names of values and nodes are those of the graph that was given.
  const Graph& graph() const { return graph_; }

  // The graph's outputs for its required inputs, each in their order. A node without gradient (op.h) is computed by the
  // reference interpreter. Errors: Error{InvalidArgument} for another number of inputs; Error{Unsupported} naming a
  // node that gradients would have to go through and can't; those of the operators.
  std::vector<at::Tensor> forward(const std::vector<at::Tensor>& inputs, BatchStatistics statistics,
                                  Intervention* intervention = nullptr) const;

  // The graph with the constants' content of now.
  Graph updated_graph() const;

 private:
  Graph graph_;
  std::map<std::string, at::Tensor, std::less<>> constants_;
  std::vector<int> readers_;  // by value: nodes that read it, one more for graph outputs
};

}  // namespace halftone::train
