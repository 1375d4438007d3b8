// What several passes ask about the graph that they rewrite.
#pragma once

#include <vector>

#include "halftone/graph/graph.h"
#include "halftone/transform/pass.h"

namespace halftone::transform {

// A snapshot like GraphIndex, with the questions of rewriting.
class RewriteIndex : public GraphIndex {
 public:
  RewriteIndex(const Graph& graph, const KeepNames& keep);

  // The value's content when it is a constant that no caller can override, else nullptr.
  const Tensor* fixed_constant(ValueId id) const;
  // The same, provided that it is float and its content may be replaced (nobody keeps it).
  const Tensor* replaceable_floats(ValueId id) const;
  bool is_kept(ValueId id) const;
  // Read by name from inside a subgraph.
  bool is_captured(ValueId id) const { return captured_[static_cast<size_t>(id)]; }

 private:
  const Graph& graph_;
  const KeepNames& keep_;
  std::vector<bool> captured_;
};

// Gives one reader of a constant another content: in place when `node` is its only reader (the name stays), else as a
// new constant. Returns the value to read.
ValueId replace_constant(Graph& graph, const GraphIndex& index, ValueId id, Tensor content);

}  // namespace halftone::transform
