// What the rules of upgrade_opset.def work with. Internal to upgrade_opset.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "halftone/graph/graph.h"

namespace halftone::upgrade_rules {

// Builds the new graph's node list; rules emit the nodes that take a node's place.
class Upgrader {
 public:
  explicit Upgrader(Graph& graph) : graph_(graph) {}

  const Graph& graph() const { return graph_; }
  // Rank of a value, or -1 where it is unknown.
  int64_t rank(ValueId id) const;
  void emit(Node node) { emitted_.push_back(std::move(node)); }
  std::vector<Node> take() { return std::move(emitted_); }

  // New constants and values, named after the node.
  ValueId integers(const Node& node, std::string_view what, const std::vector<int64_t>& values);
  // A scalar of the type of the node's first input.
  ValueId scalar(const Node& node, std::string_view what, float value);
  ValueId add_constant(const Node& node, std::string_view what, Tensor tensor);
  ValueId add_value(const Node& node, std::string_view what);

  template <typename... Args>
  [[noreturn]] void refuse(const Node& node, fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorCode::Unsupported, describe(graph_, node), format, std::forward<Args>(args)...);
  }

 private:
  std::string name_for(const Node& node, std::string_view what) const;

  Graph& graph_;
  std::vector<Node> emitted_;
};

// Emits what the node becomes in the version that brought the change.
using Rule = void (*)(Upgrader&, Node);

void drop_spatial(Upgrader& u, Node node);
void upsample_to_resize(Upgrader& u, Node node);
void slice_attributes(Upgrader& u, Node node);
void top_k_attribute(Upgrader& u, Node node);
void clip_attributes(Upgrader& u, Node node);
void pad_attributes(Upgrader& u, Node node);
void old_resize(Upgrader& u, Node node);
void scatter_to_scatter_elements(Upgrader& u, Node node);
void drop_ratio(Upgrader& u, Node node);
void flattening_softmax(Upgrader& u, Node node);
void axes_attribute(Upgrader& u, Node node);
void split_attribute(Upgrader& u, Node node);
void count_split_outputs(Upgrader& u, Node node);
void only_inference(Upgrader& u, Node node);
void old_roi_align(Upgrader& u, Node node);
void grid_sample_modes(Upgrader& u, Node node);
void no_equivalent(Upgrader& u, Node node);

}  // namespace halftone::upgrade_rules
