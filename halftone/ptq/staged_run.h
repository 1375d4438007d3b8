// Samples on their way through a network, stage by stage.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "halftone/base/thread_team.h"
#include "halftone/data/loader.h"
#include "halftone/graph/graph.h"
#include "halftone/tensor/tensor_map.h"

namespace halftone::ptq {

// Runs a float network over all of the samples up to some layer, so that the layer can be looked at and changed before
// anything behind it is computed: what goes through the layers one by one costs a few passes over the network instead
// of one per layer.
//
// What the nodes up to a stage hand on to those behind it is kept, wherever it is small enough for all samples; other
// values are computed again from there. Thread safety: none; works on the team. Determinism: the number of threads
// makes no difference.
class StagedRun {
 public:
  // Bytes of values between stages that are kept.
  static constexpr int64_t kKeptBytes = int64_t{192} << 20;

  // `graph` has to outlive the run, with its nodes in their places. Constants of nodes that no finish() has passed may
  // be replaced, and constant inputs added, between calls. Errors: Error{InvalidModel} from shape inference.
  StagedRun(const Graph& graph, std::vector<data::Batch> batches, ThreadTeam& team, int64_t kept_bytes = kKeptBytes);

  size_t batch_count() const { return batches_.size(); }

  // look(batch, values) for every batch, on several threads at once; `values` holds those named. They must not lie in
  // front of what finish() has passed. Errors: those of Session.
  using Look = std::function<void(size_t batch, const TensorMap& values)>;
  void compute(const std::vector<std::string>& names, const Look& look) const;
  // The same for the first `batches` of them.
  void compute(const std::vector<std::string>& names, size_t batches, const Look& look) const;

  // Nothing up to and including the node at this position changes any more.
  void finish(int node);

  // What the nodes up to and including this one (-1: none) hand on to those behind it.
  std::vector<std::string> values_behind(int node) const;
  // The network from those values to its outputs.
  Graph network_behind(int node) const;

 private:
  Graph part_of(const std::vector<std::string>& from, const std::vector<ValueId>& to) const;
  int64_t bytes_of(const std::vector<std::string>& names) const;

  const Graph& graph_;
  std::vector<data::Batch> batches_;
  ThreadTeam& team_;
  int64_t kept_bytes_;
  Graph typed_;                   // with the shapes of the first batch
  std::vector<TensorMap> store_;  // by batch: what the nodes up to stored_ hand on
  int stored_ = -1;
};

}  // namespace halftone::ptq
