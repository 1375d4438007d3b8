// The work behind ChannelGroups: one rule per operator says which channels its node connects.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "halftone/transform/channel_groups.h"

namespace halftone::transform {

// Channels of all values as one sequence of elements, joined by the rules of channel_links.def (union-find).
class ChannelLinks {
 public:
  explicit ChannelLinks(const Graph& graph);

  const Graph& graph() const { return graph_; }
  const RewriteIndex& index() const { return index_; }

  // --- what rules ask
  // Channels of a float value that is computed or fed; 0 for constants, other types, and where they are unknown.
  int64_t channels(ValueId id) const { return id == ValueId::None ? 0 : channels_[static_cast<size_t>(id)]; }
  // Dimension i of the value, -1 when unknown.
  int64_t dim(ValueId id, size_t i) const;
  int64_t rank(ValueId id) const;
  const Tensor* constant(ValueId id) const { return index_.fixed_constant(id); }
  // A list of integers that is an attribute or, in newer operator sets, an input; nullopt when it is computed by the
  // network. An empty list when it is left out.
  std::optional<std::vector<int64_t>> list(const Node& node, std::string_view attribute, size_t input) const;
  // The same for one float, `fallback` when it is left out.
  std::optional<float> number(const Node& node, std::string_view attribute, size_t input, float fallback) const;

  // --- what rules do
  void join(ValueId a, int64_t channel_a, ValueId b, int64_t channel_b);
  // Channel i of both, for all i. False, and nothing is done, when their numbers differ or are unknown.
  bool join_all(ValueId a, ValueId b);
  // The channels keep their scale.
  void fix(ValueId id);

  std::vector<ChannelGroups::Layer> layers;
  std::vector<ChannelGroups::BoundedClip> clips;
  std::vector<ChannelGroups::SummedConstant> constants;

  // --- the result: elements are numbered value by value
  const std::vector<size_t>& first() const { return first_; }
  const std::vector<int64_t>& channel_counts() const { return channels_; }
  size_t root(size_t element);
  bool fixed_root(size_t root) const { return fixed_[root]; }

 private:
  const Graph& graph_;
  const KeepNames keep_;
  RewriteIndex index_;
  std::vector<size_t> first_, parent_;
  std::vector<int64_t> channels_;
  std::vector<bool> fixed_;
};

namespace channel_links {

// A rule joins the channels that node `i` connects and returns true, or returns false: then all of them are fixed.
using Rule = bool (*)(ChannelLinks& links, int i);

// nullptr for an operator that is not listed.
Rule find_rule(const Node& node);

}  // namespace channel_links

}  // namespace halftone::transform
