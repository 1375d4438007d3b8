// Means and deviations of the channels of values, over samples and positions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "halftone/base/thread_team.h"
#include "halftone/data/loader.h"
#include "halftone/ptq/staged_run.h"

namespace halftone::ptq {

// Sums in double; channels are those of one axis.
class ChannelStatistics {
 public:
  // One value, all elements of it. Shapes: [..., channels, ...], the same number of channels each time.
  void add(const Tensor& value, int64_t axis);
  void add(const ChannelStatistics& other);

  size_t channels() const { return sums_.size(); }
  // 0 where nothing was added.
  double mean(size_t channel) const;
  double deviation(size_t channel) const;

 private:
  std::vector<double> sums_, squares_;
  int64_t count_ = 0;
};

// The axis of the channels of a layer's input or output: 1 behind Conv and ConvTranspose, the last one behind Gemm and
// MatMul.
int64_t activation_axis(const Node& node, int64_t rank);

// Values by name, with the node whose activation_axis is theirs.
using ValueNodes = std::map<std::string, const Node*, std::less<>>;
using StatisticsByValue = std::map<std::string, ChannelStatistics, std::less<>>;

// What the network makes of the samples, in one pass. Determinism: the number of threads makes no difference.
StatisticsByValue statistics_of(const Graph& graph, const ValueNodes& values, const std::vector<data::Batch>& batches,
                                ThreadTeam& team);

// The same for one value of a run.
ChannelStatistics statistics_of(const StagedRun& run, const std::string& value, const Node& node);

}  // namespace halftone::ptq
