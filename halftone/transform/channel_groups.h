// Which channels of a network can only be scaled together, and where their scale can be put.
#pragma once

#include <cstdint>
#include <vector>

#include "halftone/transform/layer_weights.h"

namespace halftone::transform {

// Scaling a channel by t > 0 where a layer makes it (its weights and bias times t) and back where layers read it
// (weights divided by t) changes nothing as long as everything in between is positively homogeneous, f(t x) = t f(x):
// Relu, PRelu, pools, sums of values with the same scale, data movers. A group holds the channels (axis 1) of all
// values that such nodes connect: a pair of layers shares as many groups as it has channels in between, a chain of
// residual sums is one set of groups from end to end, a Concat puts sets side by side.
//
// What the groups can't be followed through (an operator that is not homogeneous, the caller, weights that are no
// constants or belong to several layers) makes them fixed. Clip(0, high) is followed, and listed in clips(): it is
// homogeneous only where its upper bound is out of reach or scaled along.
class ChannelGroups {
 public:
  // A layer with constant float weights that nobody else reads, from whose result or to whose input channels are
  // followed.
  struct Layer {
    int node = -1;
    ValueId input = ValueId::None, output = ValueId::None;
    WeightLayout layout;
  };
  // A Clip with lower bound 0 and a finite upper bound.
  struct BoundedClip {
    int node = -1;
    float high = 0;
  };
  // A constant operand of a sum, maximum or minimum: it has to be scaled like the node's result.
  struct SummedConstant {
    int node = -1;
    size_t input = 0;
  };

  // `graph` must have its shapes inferred. Cost: O(channels of all values).
  explicit ChannelGroups(const Graph& graph);

  size_t count() const { return fixed_.size(); }
  bool fixed(size_t group) const { return fixed_[group]; }
  // How many channels of the value are followed; 0: none.
  int64_t channels(ValueId id) const { return channels_[static_cast<size_t>(id)]; }
  size_t group(ValueId id, int64_t channel) const {
    return groups_[first_[static_cast<size_t>(id)] + static_cast<size_t>(channel)];
  }
  const std::vector<Layer>& layers() const { return layers_; }
  const std::vector<BoundedClip>& clips() const { return clips_; }
  const std::vector<SummedConstant>& constants() const { return constants_; }

 private:
  std::vector<size_t> first_;  // by value: its first channel's place in groups_
  std::vector<int64_t> channels_;
  std::vector<size_t> groups_;
  std::vector<bool> fixed_;
  std::vector<Layer> layers_;
  std::vector<BoundedClip> clips_;
  std::vector<SummedConstant> constants_;
};

// The graph with every channel scaled by the factor of its group: the weights, biases and constants of the sums that
// `groups` lists. factors[g] > 0, 1 for fixed groups. Clips keep their bounds.
Graph scale_channels(Graph graph, const ChannelGroups& groups, const std::vector<double>& factors);

}  // namespace halftone::transform
